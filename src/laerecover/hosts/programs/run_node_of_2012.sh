# The start script of such a node.
# shellcheck shell=sh
# -- What a host is given begins below. --
cd @HOME@ || exit 1
exec LAFS_source/bin/tahoe run @FOLDER@
