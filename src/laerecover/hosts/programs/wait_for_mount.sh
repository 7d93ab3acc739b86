# Until the mount itself answers, to the customer alone: where rclone is gone, df is told ENOTCONN; where it hangs, df is ended. No
# answer needs the store.
# shellcheck shell=sh
# shellcheck disable=SC2242
# -- What a host is given begins below. --
tries=0
until timeout -k 5 20 df -Pk @BUCKET@ 2>/dev/null | grep -q ' @BUCKET@$'; do
  tries=$((tries + 1)); test $tries -lt 60 || exit @STATUS@; sleep 1
done
