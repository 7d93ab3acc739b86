# Moves what was staged to its place: owner and mode first, synced, renamed. Exit status 28: no room.
# The caller sets staged, target, owner, mode and kib, the room that it takes.
set -eu
umask 077
folder=$(dirname "$target")
temporary=$folder/.$(basename "$target").lae-tmp
trap 'rm -f "$staged" "$temporary"' EXIT
room "$folder" "$kib" || exit 28
[ -d "$folder" ] || install -d -o "$owner" "$folder"
cat "$staged" >"$temporary" || { room "$folder" "$kib" && exit 1; exit 28; }
chown "$owner:" "$temporary"
chmod "$mode" "$temporary"
sync "$temporary" || exit 28
mv -fT "$temporary" "$target"
sync "$folder"
