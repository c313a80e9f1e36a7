#!/bin/sh
# Ends servers and services whose supervisor died without stopping them (kill -9, a crash).
# The supervisor writes "+ PID START SIGNAL" and "- PID" lines to our standard input; the pipe closes
# when it dies, whatever killed it. A process is ours only if PID and START (its start time) agree.
trap '' INT TERM HUP

start_of() {
  if [ -r "/proc/$1/stat" ]; then
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    # The name between brackets may hold anything: count the fields after the last bracket.
    set -- ${stat##*) }
    [ "$1" = Z ] || echo "${20}"
  else
    ps -o lstart= -p "$1" 2>/dev/null | tr -d ' \n'
  fi
}

children=""
while read -r operation pid start signal; do
  case "$operation" in
    +) children="$pid:$start:$signal $children" ;;
    -) kept=""
       for child in $children; do
         case "$child" in "$pid":*) ;; *) kept="$kept $child" ;; esac
       done
       children=$kept ;;
  esac
done

end_all() {
  left=0
  for child in $children; do
    IFS=: read -r pid start signal <<LINE
$child
LINE
    [ "$(start_of "$pid")" = "$start" ] || continue
    left=1
    kill -s "${1:-$signal}" "$pid" 2>/dev/null
    kill -s CONT "$pid" 2>/dev/null
  done
}

any_left() {
  for child in $children; do
    IFS=: read -r pid start signal <<LINE
$child
LINE
    [ "$(start_of "$pid")" = "$start" ] && return 0
  done
  return 1
}

end_all ""
tries=0
while any_left && [ "$tries" -lt 50 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
end_all KILL
