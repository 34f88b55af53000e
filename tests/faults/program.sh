#!/bin/sh
# A wrapper in place of every program of a test host while a module runs (see programs.ts): counts the programs as they are
# started, by the module or by what it has started, and makes one of them fail. Only builtins, so that it does not count
# its own programs. In /var/lib/faults: `count` the programs so far, `fault` which of them (0: none) and how it fails, `log` all.
# shellcheck disable=SC2048,SC2086
log() { set -f && echo $* >>/var/lib/faults/log && set +f; } # in one line

name=${0##*/}
read -r parent <"/proc/$PPID/comm"
for directory in /usr/sbin /usr/bin /usr/local/bin; do
  [ -x "$directory/$name" ] && real=$directory/$name && break
done
read -r count </var/lib/faults/count
count=$((count + 1))
echo "$count" >/var/lib/faults/count
if [ "$parent" = node ]; then log "$name" "$@"; else log within: "$name" "$@"; fi
read -r at what </var/lib/faults/fault
[ "$count" = "$at" ] || exec "$real" "$@"

echo "$what" >/var/lib/faults/hit
# The process of the module: the nearest node above.
module=$PPID
while read -r comm <"/proc/$module/comm" && [ "$comm" != node ]; do
  while read -r key value; do
    [ "$key" != PPid: ] || above=$value
  done <"/proc/$module/status"
  module=$above
done
case $what in
  fails) echo "injected failure" >&2 && exit 4 ;;
  fails-when-done) "$real" "$@" && echo "injected failure" >&2 && exit 4 ;;
  killed) kill -9 $$ ;;
  killed-with-module) kill -9 "$module" $$ ;;
  outlives-module) kill -9 "$module" && exec "$real" "$@" ;;
esac
