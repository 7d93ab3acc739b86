# An empty node in one go: Tahoe-LAFS refuses a folder that an interrupted attempt left half made.
# shellcheck shell=sh
# Commands are run by sh -eu.
# shellcheck disable=SC2164
# -- What a host is given begins below. --
cd @HOME@
test ! -e @FOLDER@/tahoe.cfg || exit 0
rm -rf @FOLDER@.new @FOLDER@
venv/bin/tahoe --quiet @VERB@ --hostname=127.0.0.1 @FOLDER@.new </dev/null
mv @FOLDER@.new @FOLDER@
