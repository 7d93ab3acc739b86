# Waits for apt's lock, mends what was interrupted, tries mirrors again, never asks. `get` installs; 96: no mirror has it.
# dpkg does not wait for a lock that is held, as at a first boot for minutes; apt does, before it looks for anything.
# shellcheck shell=sh
# -- What a host is given begins below. --
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a APT_LISTCHANGES_FRONTEND=none
apt() { apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5 -o APT::Update::Error-Mode=any -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null; }
tries=0
until { apt check || true; dpkg --configure -a --force-confdef --force-confold </dev/null; } && apt update; do
  tries=$((tries + 1)); test $tries -lt 4 || exit 1; sleep $((tries * 10))
done
apt -f install
get() {
  status=0
  apt --no-install-recommends install "$@" || status=$?
  test $status -ne 0 || return 0
  for name; do
    policy=$(LC_ALL=C apt-cache policy "$name") || continue
    case $policy in '' | *'Candidate: (none)'*) echo "no mirror has $name"; status=96 ;; esac
  done
  exit $status
}
