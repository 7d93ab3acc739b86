# The start script of a node. ALONE: see clear_environment.sh.
# shellcheck shell=sh
# -- What a host is given begins below. --
cd @HOME@ || exit 1
@ALONE@
export OPENSSL_CONF=@OPENSSL_CONF@
exec venv/bin/tahoe run --allow-stdin-close @FOLDER@
