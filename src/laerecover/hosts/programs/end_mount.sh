# What a mount leaves that has ended.
# shellcheck shell=sh
# -- What a host is given begins below. --
# rclone unmounts as it ends, unless somebody is in there at that moment, or it was killed: then the mount stands, and is dead.
grep -qs ' @BUCKET@ fuse' /proc/mounts || exit 0
exec fusermount3 -uz @BUCKET@
