# A service sees none of the host's settings: with AWS_CA_BUNDLE set, Debian's rclone 1.60 ends at once.
# shellcheck shell=sh
# -- What a host is given begins below. --
# As env -i would; but uutils' env (0.0.30, say) stays as the parent of what it starts, and a supervisor would end env alone.
for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'); do unset "$name"; done
export @SETTINGS@
