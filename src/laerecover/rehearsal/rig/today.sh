# shellcheck shell=sh
# What the image `today` has otherwise. Argument: its root folder.
set -eu
root=$1
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
