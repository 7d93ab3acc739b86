# Tahoe-LAFS in a venv of the customer, each download tried thrice. 81: no Python that will do. What is not to be had as a
# wheel is built by the setuptools that is pinned, too; the host has a compiler (`packages` of recipes/debian.py). What pip
# unpacks and builds is no matter of /tmp, which may be a small tmpfs.
# shellcheck shell=sh
# Commands are run by sh -eu.
# shellcheck disable=SC2164
# -- What a host is given begins below. --
cd @HOME@
python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 9))' || exit 81
mkdir -p tmp
export TMPDIR=@HOME@/tmp
test -x venv/bin/pip || python3 -m venv --clear venv
cat >venv/builders.txt <<'LAE_FILE'
@BUILDERS@
LAE_FILE
cat >venv/pinned.txt <<'LAE_FILE'
@PINNED@
LAE_FILE
fetch() {
  tries=0
  until venv/bin/pip --quiet --no-input --retries 10 install --require-hashes "$@" </dev/null; do
    tries=$((tries + 1)); test $tries -lt 3 || exit 1; sleep $((tries * 10))
  done
}
fetch --only-binary :all: -r venv/builders.txt
fetch --use-pep517 --no-build-isolation -r venv/pinned.txt
venv/bin/tahoe --version
