# shellcheck shell=sh
# An image out of the small one: with these packages besides, and with no user. Arguments: its root folder, packages.
set -eu
root=$1
shift
export DEBIAN_FRONTEND=noninteractive
# Nothing is started while the image is made.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$root/etc/resolv.conf"
chroot "$root" apt-get -q update
chroot "$root" apt-get -q -y --no-install-recommends install "$@"
chroot "$root" apt-get clean
chroot "$root" userdel --remove ubuntu
rm "$root/etc/sudoers.d/90-cloud-init-users" "$root/usr/sbin/policy-rc.d" "$root"/var/lib/apt/lists/*_*
