# room PLACE KIB: are so many KiB free where PLACE is, or will be? Status 0: yes. 28: no, and the number that was read is
# told. 1: nobody knows. A question that failed is no answer.
room() {
    place=$1
    while [ ! -e "$place" ]; do place=$(dirname "$place"); done
    # The number before the per cent: a file system's own name may hold spaces.
    free=$(df -Pk "$place" | awk 'NR == 2 { for (i = 5; i < NF; i++) if ($i ~ /^([0-9]+%|-)$/) { print $(i - 1); exit } }')
    case ${free#-} in
    '' | *[!0-9]*)
        echo "df tells no number of free KiB at $place" >&2
        return 1
        ;;
    esac
    [ "$free" -lt "$2" ] || return 0
    echo "no room: $free KiB are free at $place, $2 are wanted" >&2
    return 28
}
