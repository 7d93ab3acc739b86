# Before anything is written. 83: too little disk space, 92: in /tmp, which may be a small tmpfs. `room` comes before it (room.sh).
# shellcheck shell=sh
# -- What a host is given begins below. --
has_room() {
  status=0; room "$1" "$2" || status=$?
  test $status -ne @NO_ROOM@ || exit "$3"
  test $status -eq 0 || exit $status
}
has_room /var @KIB@ 83
has_room /home @KIB@ 83
has_room /tmp @TMP_KIB@ 92
