# Says `runs` if it does.
# shellcheck shell=sh
# The caller sets unit.
# shellcheck disable=SC2154
# -- What a host is given begins below. --
if [ -d /run/systemd/system ]; then systemctl is-active --quiet "$unit" && echo runs || :
else sv status "$unit" 2>/dev/null | grep -q '^run:' && echo runs || :
fi
