# The start script of the service bucket. ALONE: see clear_environment.sh.
# shellcheck shell=sh
# -- What a host is given begins below. --
# A mount whose rclone has died is taken away first. Never --vfs-write-back 0s: rclone 1.60 then uploads a share under the
# name it had before Tahoe-LAFS renamed it, and the finished share is lost.
grep -qs ' @BUCKET@ fuse' /proc/mounts && fusermount3 -uz @BUCKET@
@ALONE@
exec rclone mount shares: @BUCKET@ --config @RCLONE_CONF@ --allow-non-empty --umask 077 \
  --vfs-cache-mode full --vfs-write-back 2s --vfs-cache-max-size 500M --cache-dir @HOME@/.cache/shares \
  --use-server-modtime --dir-cache-time 24h --log-file @HOME@/rclone.log
