# shellcheck shell=sh
# Makes the hosts' image `today` out of the small one. Arguments: its root folder, then the packages that it has
# besides.
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
# sshd after the stage that makes keys and users, before the others, as on any image.
cd "$root/etc/rc2.d"
rm S??cloud-* S??ssh
number=1
for service in cloud-init-local cloud-init ssh cloud-config cloud-final; do
    ln -s "../init.d/$service" "S0$number$service"
    number=$((number + 1))
done
cd "$root/usr/bin"
for program in ../lib/cargo/bin/coreutils/*; do
    [ ! -e "${program##*/}" ] || ln -sf "$program" "${program##*/}"
done
