# The place where the bucket is mounted; as root.
# shellcheck shell=sh
# -- What a host is given begins below. --
# Without it fusermount3 lets no user unmount.
test -e /etc/mtab || ln -s ../proc/self/mounts /etc/mtab
# A plain file called shares: a storage node whose bucket is not mounted fails, rather than fill the host's own disk.
if ! grep -qs ' @BUCKET@ fuse' /proc/mounts; then
mkdir -p @BUCKET@
chmod 700 @BUCKET@
chown customer:customer @BUCKET@
test -e @BUCKET@/shares || { : >@BUCKET@/shares; chmod 444 @BUCKET@/shares; }
fi
