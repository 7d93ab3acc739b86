# The user monitor, with the HOWTO's monitor_pubkey.
# shellcheck shell=sh
# -- What a host is given begins below. --
id monitor >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --password '*' monitor
mkdir -p /home/monitor/.ssh
chmod 700 /home/monitor/.ssh
chown monitor:monitor /home/monitor/.ssh
printf '%s\n' @KEY@ >/home/monitor/.ssh/authorized_keys.new
chmod 600 /home/monitor/.ssh/authorized_keys.new
chown monitor:monitor /home/monitor/.ssh/authorized_keys.new
mv -f /home/monitor/.ssh/authorized_keys.new /home/monitor/.ssh/authorized_keys
