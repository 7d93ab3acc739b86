# shellcheck shell=sh
# Inside the fresh namespaces of a host: its mounts, then its own root, then its init. Arguments: root, name, boot id
# file, debs, wheels, fuse (yes or no), and where systemd is the init its console, a terminal.
set -eu
cd "$1"
mount -t proc proc proc
echo 1 >proc/sys/net/ipv6/conf/all/disable_ipv6
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755,nosuid,size=64k tmpfs dev
while read -r node major minor; do
    mknod -m 666 "dev/$node" c "$major" "$minor"
done <<END
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
END
[ "$6" = no ] || mknod -m 666 dev/fuse c 10 229
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev,size=64m tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
if [ -n "$7" ]; then
    touch dev/console
    mount --bind "$7" dev/console
    mount -t cgroup2 cgroup2 sys/fs/cgroup
else
    ln -s /proc/1/fd/1 dev/console
fi
mount -t tmpfs -o mode=755,nosuid,size=64m tmpfs run
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount --bind "$3" proc/sys/kernel/random/boot_id
mount --bind "$4" srv/debs
mount -o remount,bind,ro srv/debs
mount --bind "$5" srv/wheels
mount -o remount,bind,ro srv/wheels
hostname "$2"
# The machine's own mounts go with the old root, so that nothing of another host is held here.
pivot_root . .
umount -l .
cd /
# Whatever programs the image has: uutils' env (0.0.17) would stay, and be the host's first process.
exec busybox env -i ${7:+container=rig} HOME=/root TERM=linux PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio,-mknod chroot . /sbin/init
