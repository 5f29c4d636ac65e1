#!/bin/sh
# Made by ./dam export haproxy from policy a424b77b3341e9c9. Change the policy or an overlay, not this file;
# ./dam export haproxy --check says when it is behind.
# switch.sh bake green blue    93 % of the sessions to green, the rest stay on blue
# switch.sh only green blue    everything to green; blue stays warm
# A rollback is: switch.sh only blue green
set -eu
usage() { echo "Usage: $0 bake|only <new: blue|green> <old: blue|green>" >&2; exit 2; }
[ $# -eq 3 ] || usage
case "$2 $3" in 'blue green' | 'green blue') ;; *) usage ;; esac
socket=${HAPROXY_SOCKET:-/run/haproxy/dam.sock}
state=${HAPROXY_STATE:-/run/haproxy/dam.state}
say() {
  answer=$(echo "$1" | socat -t 5 - "UNIX-CONNECT:$socket")
  [ -z "$answer" ] || { echo "HAProxy: $answer" >&2; exit 1; }
}
is_up() { echo 'show stat' | socat -t 5 - "UNIX-CONNECT:$socket" | grep -q "^dam,$1,.*,UP,"; }
say "set server dam/$2 state ready"
tries=0
until is_up "$2"; do
  tries=$((tries + 1))
  [ $tries -lt 60 ] || { echo "$2 does not become ready; nothing was switched" >&2; say "set server dam/$2 state maint"; exit 1; }
  sleep 1
done
case $1 in
  bake)
    say "set server dam/$2 weight 93"
    say "set server dam/$3 weight 7"
    ;;
  only)
    say "set server dam/$2 weight 100"
    say "set server dam/$3 state maint"
    say "set server dam/$3 weight 100"
    ;;
  *) usage ;;
esac
# What a reload of HAProxy starts from.
echo 'show servers state' | socat -t 5 - "UNIX-CONNECT:$socket" >"$state.new"
mv "$state.new" "$state"
