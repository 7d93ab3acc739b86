# A storage node that runs is started again, one that does not is left as it is. A supervisor that does not say is a failure.
# shellcheck shell=sh
# -- What a host is given begins below. --
if test -d /run/systemd/system; then
  state=$(systemctl show -p ActiveState lae-storageserver)
  case $state in
    *=inactive | *=failed) exit 0 ;;
    *=*) systemctl restart lae-storageserver ;;
    *) echo "systemctl does not say whether it runs: $state"; exit 1 ;;
  esac
else
  test -L /etc/service/lae-storageserver || exit 0
  state=$(sv status lae-storageserver 2>&1) || true
  case $state in
    run:*) sv -w 60 restart lae-storageserver ;;
    down:* | finish:* | fail:* | warning:*) exit 0 ;;
    *) echo "sv does not say whether it runs: $state"; exit 1 ;;
  esac
fi
echo started again
