# Until the mount itself answers, to the customer alone: where rclone is gone, df is told ENOTCONN. No answer needs the store.
# shellcheck shell=sh
# -- What a host is given begins below. --
tries=0
until df -Pk @BUCKET@ 2>/dev/null | grep -q ' @BUCKET@$'; do
  tries=$((tries + 1)); test $tries -lt 60 || exit 1; sleep 1
done
