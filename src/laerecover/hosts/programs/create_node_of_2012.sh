# An empty node by the Tahoe-LAFS of 2012.
# shellcheck shell=sh
# Commands are run by sh -eu.
# shellcheck disable=SC2164
# -- What a host is given begins below. --
cd @HOME@
test -e @FOLDER@/tahoe.cfg || LAFS_source/bin/tahoe @VERB@ @FOLDER@ </dev/null
