# Now and at every boot.
# shellcheck shell=sh
# The caller sets unit.
# shellcheck disable=SC2154
# -- What a host is given begins below. --
if [ -d /run/systemd/system ]; then exec systemctl enable --now "$unit"; fi
[ -L "/etc/service/$unit" ] || ln -s "/etc/sv/$unit" "/etc/service/$unit"
tries=0
until [ -e "/etc/service/$unit/supervise/ok" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || exit 1
    sleep 1
done
exec sv -w 60 start "$unit"
