# The user that the nodes belong to.
# shellcheck shell=sh
# -- What a host is given begins below. --
id customer >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --password '*' customer
chmod 711 @HOME@
