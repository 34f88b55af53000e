#!/bin/sh
# Reads what the role needs to know of a host before its modules can run there. Changes nothing; needs neither Node nor Python.
# Prints one line of JSON for filter_plugins/weave_cluster.py.
#
#   probe.sh NETWORK PREFIX INDEX ADDRESS INTERFACE NODE SCRIPT
#
# NETWORK: the container network. PREFIX: the prefix length of a host's subnet. The others may be empty: the inventory's number
# and underlay address, the interface that has that address, the inventory's Node, and the weave script that must be there.
network=$1 prefix=$2 index=$3 address=$4 interface=$5 node=$6 script=$7
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

addresses_on() { ip -o -4 addr show dev "$1" 2>/dev/null | sed -n 's/.* inet \([0-9./]*\).*/\1/p'; }

# --- The host's number, from its bridge's address, or from the address that the bridge gets at boot.

as_number() {
  IFS=./
  # shellcheck disable=SC2086
  set -- $1
  unset IFS
  echo $((($1 << 24) + ($2 << 16) + ($3 << 8) + $4))
}

# As the module weave_bridge computes it: host N has the Nth address of the network's first block, which is as large as a
# host's subnet. Further hosts have addresses from the network's top downwards.
number_of() {
  offset=$(($(as_number "$1") - $(as_number "$network")))
  size=$((1 << (32 - ${network#*/})))
  block=$((1 << (32 - prefix)))
  [ $offset -lt $size ] || return
  [ $offset -lt $block ] || offset=$((size + block - 2 - offset))
  if [ $offset -gt 0 ] && [ $offset -lt $((size / block)) ]; then echo $offset; fi
}

held=
bridge=$(addresses_on weave)
for found in $bridge \
  $(grep -hsoE '([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}' /etc/network/interfaces.d/weave.cfg /etc/systemd/network/05-weave.network); do
  [ -n "$held" ] || held=$(number_of "$found")
done

# --- Its underlay address.

if [ -z "$address" ] && [ -n "$interface" ]; then
  address=$(addresses_on "$interface" | head -n 1)
  address=${address%/*}
fi

# --- Node 16 or newer, for the modules.

suits() {
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  [ "${version%%.*}" -ge 16 ] 2>/dev/null
}

# Root runs it, so a Node in the role's folder must be root's, and nobody else's to write to.
is_roots() {
  case $1 in
    /var/lib/apollo-weave/*) set -- /var/lib/apollo-weave "${1%/bin/node}" "${1%/node}" "$1" ;;
    *) return 0 ;;
  esac
  [ "$(find -H "$@" -maxdepth 0 -user 0 ! -perm -020 ! -perm -002 2>/dev/null | wc -l)" -eq $# ]
}

given=$node
node=
unfit=
for candidate in ${given:-$(command -v node nodejs) /usr/local/*/bin/node /opt/bin/node /opt/*/bin/node /snap/bin/node /var/lib/apollo-weave/node-*/bin/node}; do
  [ -x "$candidate" ] || continue
  if ! is_roots "$candidate"; then
    unfit="$unfit $candidate could be changed by other users"
    continue
  fi
  if suits "$candidate"; then
    node=$candidate
    break
  fi
  unfit="$unfit $candidate ${version:-does not run}"
done
packaged=
if [ -z "$node" ] && command -v apt-cache >/dev/null; then
  policy=$(apt-cache policy nodejs 2>/dev/null)
  candidate=$(printf '%s\n' "$policy" | sed -n 's/^ *Candidate: //p')
  # An installed package did not provide a suitable Node, or it would have been found.
  [ "$candidate" = "$(printf '%s\n' "$policy" | sed -n 's/^ *Installed: //p')" ] ||
    packaged=$(printf %s "$candidate" | sed -n 's/^\([0-9]*:\)\{0,1\}\([0-9]*\)\..*/\2/p')
fi

# --- Whether the host has a Weave router, running or started with Docker. A stopped Docker is not started.

router=false
unit=/etc/init/weave.conf
[ ! -d /run/systemd/system ] || unit=/etc/systemd/system/weave.service
if [ -e $unit ] || [ -e /etc/weave.env ]; then router=true; fi
if [ $router = false ] && [ -e /var/run/docker.pid ] && docker container inspect weave >/dev/null 2>&1; then router=true; fi

# --- Whether Docker's default bridge is the bridge weave.

bridged=false
if [ -e /sys/class/net/weave-vx ] || grep -qsE '^[^#]*bridge(=|": *"|  *)weave' /etc/default/docker /etc/docker/daemon.json; then
  bridged=true
fi

missing=
if [ -n "$script" ] && ! [ -f "$script" ]; then missing=$script; fi

# Values rarely need it, and a process for each would take longer than the rest of the script.
clean() {
  case $1 in
    *[![:alnum:]\ ._/+:-]*) printf %s "$1" | tr -cd '[:alnum:] ._/+:-' ;;
    *) printf %s "$1" ;;
  esac
}
index=${index:-${held:-0}}
kept=false
[ "$index" = 0 ] || [ "$index" != "$held" ] || kept=true
printf '{"index": %d, "kept": %s, "address": "%s", "node": "%s", "given": "%s", "unfit": "%s", "packaged": %d, "architecture": "%s", "router": %s, "bridge": "%s", "bridged": %s, "missing": "%s"}\n' \
  "$index" $kept "$(clean "$address")" "$(clean "$node")" "$(clean "$given")" "$(clean "${unfit# }")" "${packaged:-0}" \
  "$(clean "$(uname -m)")" $router "$(clean "${bridge%%/*}")" $bridged "$(clean "$missing")"
