# Says `ended`, however cloud-init ended; `at work`, after a minute; `none` where there is none.
# shellcheck shell=sh
# It is the inner shell that expands.
# shellcheck disable=SC2016
# -- What a host is given begins below. --
command -v cloud-init >/dev/null || { echo none; exit 0; }
timeout 60 sh -c '
    cloud-init status --wait >/dev/null 2>&1
    # Once something has failed it calls that its status, and waits no longer, though it is still at work.
    case $(cloud-init status 2>/dev/null) in *disabled*) ;; *) until [ -e /run/cloud-init/result.json ]; do sleep 1; done ;; esac
    echo ended
' </dev/null || echo at work
