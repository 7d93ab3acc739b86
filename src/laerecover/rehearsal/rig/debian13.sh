# shellcheck shell=sh
# What the image `debian13` has otherwise. Argument: its root folder.
set -eu
rm -f "$1"/etc/ssh/ssh_host_*
# The program of that name is the one in Rust, as on Ubuntu from 25.10 on.
ln -sf sudo-rs "$1/usr/bin/sudo"
