# Moves what was staged to its place: owner and mode first, synced, renamed. Exit status 28: see room.
# The caller sets staged, target, owner, mode and kib, the room that it takes.
set -eu
umask 077
folder=$(dirname "$target")
temporary=$folder/.$(basename "$target").lae-tmp
trap 'rm -f "$staged" "$temporary"' EXIT

# For want of room, or for another reason.
failed() {
    room "$folder" "$kib" || exit $?
    exit 1
}

room "$folder" "$kib" || exit $?
if [ ! -d "$folder" ]; then
    (umask 022 && mkdir -p "$folder")
    chown "$owner" "$folder"
fi
# A folder of that name would take the file in.
if [ -d "$target" ]; then
    echo "$target is a folder" >&2
    exit 1
fi
cat "$staged" >"$temporary" || failed
chown "$owner:$(id -gn "$owner")" "$temporary"
chmod "$mode" "$temporary"
sync "$temporary" || failed
mv -f "$temporary" "$target"
sync "$folder"
