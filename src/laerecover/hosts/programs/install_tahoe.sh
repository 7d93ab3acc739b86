# Tahoe-LAFS in a venv of the customer, tried thrice. 81: no Python that will do. What pip unpacks and builds is no
# matter of /tmp, which may be a small tmpfs.
# shellcheck shell=sh
# Commands are run by sh -eu.
# shellcheck disable=SC2164
# -- What a host is given begins below. --
cd @HOME@
python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 9))' || exit 81
mkdir -p tmp
export TMPDIR=@HOME@/tmp
test -x venv/bin/pip || python3 -m venv --clear venv
tries=0
until venv/bin/pip --quiet --no-input --retries 10 install '@VERSION@' </dev/null; do
  tries=$((tries + 1)); test $tries -lt 3 || exit 1; sleep $((tries * 10))
done
venv/bin/tahoe --version
