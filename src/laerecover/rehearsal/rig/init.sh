#!/bin/sh
# First process of a host of the rig: starts what Debian's packages want started at boot, and reaps.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022

reboot_now() {
    echo "init: rebooting"
    [ -x /usr/bin/sv ] && sv -w 20 force-stop /etc/service/* 2>/dev/null
    for script in /etc/rc6.d/K*; do "$script" stop; done
    sync
    exec busybox reboot -f
}
trap reboot_now TERM

echo "init: booting $(hostname)"
mkdir -p /run/sshd /run/lock /run/runit/supervise
for script in /etc/rc2.d/S*; do
    # runit supervises what it has a service for.
    [ -x /usr/bin/runsvdir ] && [ -e "/etc/service/${script#*/S??}" ] || "$script" start
done
echo "init: booted"
while :; do
    # Where no package starts runit's supervisor, init does, as runit's own would; not while dpkg still sets it up.
    if [ -x /usr/bin/runsvdir ] && ! pidof runsvdir >/dev/null &&
        dpkg-query -W -f '${Status}' runit | grep -q ' ok installed'; then
        setsid runsvdir -P /etc/service &
    fi
    sleep 1 &
    wait $!
done
