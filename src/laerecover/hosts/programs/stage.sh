# Takes stdin as a file of a private folder, and says where the folder is. `room` comes before it (room.sh).
# shellcheck shell=sh
# The caller sets folder, name, part, size and kib; mode 700 is the last folder's.
# shellcheck disable=SC2154,SC2164,SC2174
# -- What a host is given begins below. --
umask 077
room "$folder" "$kib" || exit $?
mkdir -p -m 700 "$folder"
chmod 700 "$folder"
cd "$folder"
cat >"$part" || { rm -f "$part"; room . "$kib" || exit $?; exit 1; }
# The end of a link looks like the end of what came over it.
[ "$(wc -c <"$part")" -eq "$size" ] || { rm -f "$part"; echo "a part of it came" >&2; exit 1; }
mv -f "$part" "$name"
pwd -P
