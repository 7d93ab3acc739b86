# Says `runs` if it does. A supervisor that does not say is a failure, and no answer.
# shellcheck shell=sh
# The caller sets unit.
# shellcheck disable=SC2154
# -- What a host is given begins below. --
if [ -d /run/systemd/system ]; then
    state=$(systemctl show -p ActiveState "$unit")
    case ${state#ActiveState=} in
    active | reloading) echo runs ;;
    inactive | failed | activating | deactivating | maintenance) ;;
    *) echo "systemctl does not say whether $unit runs: $state" >&2; exit 1 ;;
    esac
elif [ -L "/etc/service/$unit" ]; then
    state=$(sv status "$unit" 2>&1) || true
    case $state in
    run:*) echo runs ;;
    down:* | finish:* | fail:* | warning:*) ;;
    *) echo "sv does not say whether $unit runs: $state" >&2; exit 1 ;;
    esac
fi
