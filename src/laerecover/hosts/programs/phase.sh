# shellcheck shell=sh
# The folders above those made here are the system's own, or were made a line before; words of /proc are to be split.
# shellcheck disable=SC2174,SC2086
# -- What a host is given begins below. --
# Carries out one phase on a host, apart from the connection that asked for it.
#   sh FILE start|again|look|work BASE DIGEST WAIT EACH LOGIN ALONE
# BASE holds the markers; WAIT is how many seconds to wait for the phase's end, EACH how many one command may take;
# LOGIN is the one user that needs no sudo. ALONE: yes if no other phase may be at work on this host meanwhile. Says `busy`,
# `running` with how many commands are over and the latest line that was printed, `interrupted`, or `ended` with a line for each command: name, exit status or
# `skipped`, end of its output in base64. Exit status 28: see room.
set -eu
umask 077
action=$1 base=$2 digest=$3 wait=$4 each=$5 login=$6 alone=$7
case $base in /*) ;; *) base=$PWD/$base ;; esac
phase=$base/phases/$digest

# What failed before is forgotten by who starts, and told to who comes again.
again() {
    start
}

start() {
    room "$base" 16384 || exit $?
    [ -d "$base" ] || mkdir -m 755 -p "$base"
    [ -d "$base/phases" ] || mkdir -m 711 -p "$base/phases"
    others_are_over || { echo busy; exit 0; }
    [ -d "$phase" ] || mkdir -m 711 -p "$phase"
    # Whoever works holds the lock; the kernel lets go of it when he dies, and at every boot.
    exec 9>>"$phase/lock"
    if flock -n 9 && { [ "$action" = start ] || [ ! -e "$phase/failed" ]; }; then
        end_leftovers
        rm -f "$phase/ended" "$phase/failed"
        cp "$0" "$phase/script"
        setsid sh "$phase/script" work "$base" "$digest" "$wait" "$each" "$login" "$alone" </dev/null >"$phase/log" 2>&1 &
    fi
    exec 9>&-
    look
}

# What another version of this program began on the host has other scripts, so it is another phase: two must not install at once.
others_are_over() {
    [ "$alone" = yes ] || return 0
    for other in "$base"/phases/*/lock; do
        [ "$other" = "$phase/lock" ] || [ ! -e "$other" ] || over "$other" || return 1
    done
}

over() {
    timeout "$wait" flock -s "$1" true
}

look() {
    if [ ! -e "$phase/lock" ]; then
        echo interrupted
    elif ! over "$phase/lock"; then
        echo running
        { wc -l <"$phase/told"; } 2>/dev/null || echo 0
        tail -n 1 "$phase/output" 2>/dev/null || :
    elif [ -e "$phase/failed" ]; then
        echo ended
        cat "$phase/failed"
    elif [ -e "$phase/ended" ]; then
        echo ended
        cat "$phase/ended"
    else
        echo interrupted
    fi
}

# Children of a worker that was killed in this same boot: two of a kind must not work at once.
end_leftovers() {
    read -r boot session <"$phase/worker" 2>/dev/null || return 0
    [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] && [ ! -e "/proc/$session" ] || return 0
    for stat in /proc/[0-9]*/stat; do
        process=${stat#/proc/}
        { read -r line <"$stat"; } 2>/dev/null || continue
        set -- ${line##*) }
        [ "$4" != "$session" ] || kill -KILL "${process%/stat}" 2>/dev/null || :
    done
}

work() {
    trap '' HUP
    echo "$(cat /proc/sys/kernel/random/boot_id) $$" >"$phase/worker"
    : >"$phase/told"
    cd /
    result=ended
    commands || result=failed
    rm -f "$phase/output"
    mv -f "$phase/told" "$phase/$result"
}

# Number, name, user, digest, perhaps its own EACH; the script comes on stdin.
one() {
    script=$phase/$1.sh status=0
    cat >"$script" && chmod 644 "$script" || exit 1
    : >"$phase/output" || exit 1
    if [ "$(cat "$base/$2" 2>/dev/null)" = "$4" ]; then
        tell "$2" skipped
        return 0
    fi
    (
        umask 022
        exec 9>&-
        if [ "$3" = "$login" ]; then
            exec timeout -k 10 "${5:-$each}" sh -eu "$script"
        fi
        exec sudo -n -H -u "$3" timeout -k 10 "${5:-$each}" sh -eu "$script"
    ) </dev/null >"$phase/output" 2>&1 || status=$?
    if [ "$status" = 0 ]; then
        printf %s "$4" >"$base/$2.tmp" && chmod 644 "$base/$2.tmp" && sync "$base/$2.tmp" || exit 1
        mv -f "$base/$2.tmp" "$base/$2" || exit 1
    fi
    tell "$2" "$status"
    return "$status"
}

tell() {
    printf '%s %s %s\n' "$1" "$2" "$(tail -c 4000 "$phase/output" | base64 | tr -d '\n')" >>"$phase/told" || exit 1
}
