# 81: no Python that will do. 82: no FUSE. 97: nothing runs where packages and Tahoe-LAFS put programs.
# shellcheck shell=sh
# -- What a host is given begins below. --
python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' || exit 81
test -c /dev/fuse || modprobe fuse 2>/dev/null || true
test -c /dev/fuse || exit 82
for try in /home/.lae-runs /var/lib/.lae-runs; do
  printf '#!/bin/sh\n' >$try
  chmod 755 $try
  status=0; $try || status=$?
  rm -f $try
  test $status -ne 126 || exit 97
done
