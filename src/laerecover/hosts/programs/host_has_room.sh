# Before anything is written. 83: too little disk space. `room` comes before it (room.sh).
# shellcheck shell=sh
# -- What a host is given begins below. --
for each in /var /home /tmp; do
  status=0; room "$each" @KIB@ || status=$?
  test $status -ne @NO_ROOM@ || exit 83
  test $status -eq 0 || exit $status
done
