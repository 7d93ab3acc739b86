# 81: no Python that will do. 82: no FUSE.
# shellcheck shell=sh
# -- What a host is given begins below. --
python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' || exit 81
test -c /dev/fuse || modprobe fuse 2>/dev/null || true
test -c /dev/fuse || exit 82
