# The listening sshd is the topmost of this connection's ancestors with that name.
# shellcheck shell=sh
# -- What a host is given begins below. --
process=$$ listener=
while [ "$process" -gt 1 ]; do
    case $(cat "/proc/$process/comm") in sshd*) listener=$process ;; esac
    process=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$process/status")
done
kill -HUP "$listener"
