# shellcheck shell=sh
# What the image `systemd` has otherwise: Debian's own images for EC2 let in `admin`. Argument: its root folder.
set -eu
cat >"$1/etc/cloud/cloud.cfg.d/01_debian_cloud.cfg" <<'END'
apt: {preserve_sources_list: true}
locale: false
manage_etc_hosts: true
system_info: {default_user: {name: admin}}
END
# In a namespace nothing tells cloud-init that this is EC2, and the addresses have been laid from outside.
cat >"$1/etc/cloud/cloud.cfg.d/99_rig.cfg" <<'END'
datasource_list: [Ec2]
datasource: {Ec2: {strict_id: false, max_wait: 60, timeout: 10}}
network: {config: disabled}
END
