# A storage node that runs is started again, one that does not is left as it is.
# shellcheck shell=sh
# -- What a host is given begins below. --
if test -d /run/systemd/system; then
  systemctl is-active --quiet lae-storageserver || exit 0
  systemctl restart lae-storageserver
else
  sv status lae-storageserver 2>/dev/null | grep -q '^run:' || exit 0
  sv -w 60 restart lae-storageserver
fi
echo started again
