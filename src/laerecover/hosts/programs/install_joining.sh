# What joining needs, in a venv of its own, tried thrice. 83: too little disk space. `room` comes before it (room.sh).
# shellcheck shell=sh
# -- What a host is given begins below. --
status=0
room @HOME@ @KIB@ || status=$?
test $status -ne @NO_ROOM@ || exit 83
test $status -eq 0 || exit $status
mkdir -p @PLACE@
cd @PLACE@ || exit 1
test -x venv/bin/pip || python3 -m venv --clear venv
cat >pinned.txt <<'LAE_FILE'
@PINNED@
LAE_FILE
tries=0
until venv/bin/pip --quiet --no-input --retries 10 install --require-hashes --only-binary :all: -r pinned.txt </dev/null; do
  tries=$((tries + 1)); test $tries -lt 3 || exit 1; sleep $((tries * 10))
done
