# shellcheck shell=sh
# What the image `hardened` has otherwise. Argument: its root folder.
set -eu
rm -f "$1"/etc/ssh/ssh_host_*
for place in /tmp /var/tmp /dev/shm; do
    echo "tmpfs $place tmpfs rw,nosuid,nodev,noexec,mode=1777,size=64m 0 0"
done >>"$1/etc/fstab"
# Nobody generated it; PAM gives it to every login, and to sudo.
for file in environment default/locale locale.conf; do
    printf 'LANG=de_DE.UTF-8\nLC_ALL=de_DE.UTF-8\n' >"$1/etc/$file"
done
