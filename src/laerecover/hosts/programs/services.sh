# How it is with each service of ours, on a line: its name, ok or failed, and why. What a supervisor calls active may be in
# its start script still, or restart again and again: so one that is young is looked at twice. One that runs may have been
# disabled, and is gone after the next boot. Nothing is changed.
# shellcheck shell=sh
# -- What a host is given begins below. --
# supervised NAME: sets process, age in seconds, starts and state; fails where nobody can say.
supervised() {
  if [ -d /run/systemd/system ]; then
    told=$(systemctl show -p MainPID -p ActiveState -p SubState -p Result -p NRestarts -p UnitFileState -p ActiveEnterTimestampMonotonic "lae-$1") || return 1
    process=$(value MainPID) starts=$(value NRestarts) since=$(value ActiveEnterTimestampMonotonic)
    state="$(value ActiveState) ($(value SubState), $(value Result)), started again $starts times"
    [ "$(value ActiveState)" = active ] || process=0
    read -r now _ </proc/uptime
    age=$((${now%.*} - ${since:-0} / 1000000))
  else
    state=$(sv status "lae-$1" 2>&1) || true
    case $state in run:* | down:* | finish:* | fail:* | warning:*) ;; *) return 1 ;; esac
    process=0 age=0 state=${state%%;*}
    case $state in run:*) process=${state#*(pid } age=${state##*) }; process=${process%%)*} age=${age%%s*} ;; esac
    starts=$process
  fi
  case $process$age in *[!0-9]* | '') return 1 ;; esac
}
# comes_back NAME: whether a boot starts it; of a unit, `supervised` has asked.
comes_back() {
  if [ -d /run/systemd/system ]; then [ "$(value UnitFileState)" = enabled ]
  else [ -e "/etc/service/lae-$1" ] && [ ! -e "/etc/sv/lae-$1/down" ]
  fi
}
value() { printf '%s\n' "$told" | sed -n "s/^$1=//p"; }
look() {
  supervised "$1" || { echo "$1 failed its supervisor does not say how it is"; return; }
  read -r program 2>/dev/null <"/proc/$process/comm" || program=
  case "$first " in
  *" $1=$starts "*) ;;
  *) echo "$1 failed it restarts again and again: $state"; return ;;
  esac
  if [ "$process" = 0 ]; then echo "$1 failed it does not run: $state"
  elif [ -z "$program" ]; then echo "$1 failed its process $process is gone, though it is called $state"
  elif [ "$program" = "$1" ]; then echo "$1 failed it has been in its start script for $age s: $state"
  elif ! comes_back "$1"; then echo "$1 failed it runs, but does not start at the next boot: it is disabled"
  else echo "$1 ok it has run for $age s"
  fi
}
names='' first='' young=''
for unit in /etc/systemd/system/lae-*.service /etc/sv/lae-*; do
  [ -e "$unit" ] || continue
  name=${unit##*/lae-}
  name=${name%.service}
  names="$names $name"
  supervised "$name" || continue
  first="$first $name=$starts"
  [ "$process" = 0 ] || [ "$age" -ge 20 ] || young=yes
done
[ -z "$young" ] || sleep 5
for name in $names; do look "$name"; done
[ -n "$names" ] || echo "services failed there are none"
