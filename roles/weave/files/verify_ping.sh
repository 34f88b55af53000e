#!/bin/sh
# verify_ping.sh SECONDS PID ADDRESS...: pings the addresses from this host and, if PID is not 0, from the network namespace of
# that process, with the host's ping. Prints a line of JSON: the milliseconds of the fastest answer by address, null for none; and,
# if the VXLAN is encrypted, the handshake's age in seconds, the received and the sent bytes by each peer's public key.
set -u
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
seconds=$1 pid=$2
shift 2
bridge=weave
at_once=50

if ! command -v ping >/dev/null; then
  echo "ping: command not found. Install iputils-ping (Debian) or iputils." >&2
  exit 1
fi

uptime_seconds() {
  read -r uptime _ </proc/uptime
  echo "${uptime%.*}"
}

# try SOURCE ADDRESS COMMAND...: until three answers, as the first may have waited for ARP, or until the time is over.
try() {
  source=$1 address=$2
  shift 2
  ms='' left=$seconds
  deadline=$(($(uptime_seconds) + seconds))
  # ping ends early if nobody answers ARP.
  while [ -z "$ms" ] && [ "$left" -gt 0 ]; do
    ms=$("$@" -n -c 3 -i 0.2 -w "$left" "$address" 2>/dev/null | sed -n 's|.* = \([0-9.]*\)/.*|\1|p')
    [ -n "$ms" ] || sleep 0.5
    left=$((deadline - $(uptime_seconds)))
  done
  echo "$source \"$address\":${ms:-null}"
}

try_all() {
  started=0
  for to; do
    # Through the bridge only: if it is down, a gateway may reach another host with this address.
    try host "$to" ping -I "$bridge" &
    [ -z "$container" ] || try container "$to" nsenter -t "$pid" -n ping &
    started=$((started + 2))
    if [ "$started" -ge "$at_once" ]; then
      wait
      started=0
    fi
  done
  wait
}

object() {
  echo "{$(echo "$results" | sed -n "s/^$1 //p" | paste -s -d , -)}"
}

# Its secret keys are skipped.
handshakes() {
  now=$(date +%s)
  wg show "$bridge-wg" dump 2>/dev/null | sed 1d | while read -r key _ _ _ handshake received sent _; do
    [ "$handshake" = 0 ] && age=null || age=$((now - handshake))
    echo "\"$key\":[$age,$received,$sent]"
  done | paste -s -d , -
}

# The container may have stopped since the probe.
container=''
if [ "$pid" -ne 0 ] && nsenter -t "$pid" -n true 2>/dev/null; then container=yes; fi
results=$(try_all "$@")
printf '\n{"host":%s,"container":%s,"handshakes":{%s}}\n' \
  "$(object host)" "$(if [ -n "$container" ]; then object container; else echo null; fi)" "$(handshakes)"
