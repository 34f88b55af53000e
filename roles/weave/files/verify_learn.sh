#!/bin/sh
# verify_learn.sh LIMIT: prints, as a line of JSON, what a host has of the network, with LIMIT of its containers at most.
set -u
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
limit=$1
bridge=weave

# Reads a line of `ip -o link`.
state() {
  case $1 in
    '') echo missing ;;
    *[\<,]UP[,\>]*) echo up ;;
    *) echo down ;;
  esac
}

quoted_or_null() {
  if [ -n "$1" ]; then echo "\"$1\""; else echo null; fi
}

# Reads addresses, a line each.
list() {
  echo "[$(sort -u | sed 's/.*/"&"/' | paste -s -d , -)]"
}

# What is on the bridge counts, so that it does not matter which way a host was told. Where its tunnels begin (`local`) and
# end (`peers`) a router tells by its connections; of one in a network of its own, of Weave 1.x, they are not seen.
datapath() {
  kind=none port=null state=missing own='' peers=''
  vxlan=$(ip -o -d link show master "$bridge" type vxlan 2>/dev/null | head -n 1)
  if [ -n "$vxlan" ]; then
    kind=vxlan port=${vxlan#* dstport } state=$(state "$vxlan") device=${vxlan#*: }
    case $vxlan in *' local '*) own=${vxlan#* local } ;; esac
    peers=$(bridge fdb show dev "${device%%[:@]*}" 2>/dev/null | sed -n 's/^00:00:00:00:00:00 .*dst \([0-9.]*\) .*/\1/p')
  elif ss -ltn 'sport = :6783' 2>/dev/null | grep -q LISTEN; then
    kind=router port=6783 state=up
    ends=$(ss -tn state established '( sport = :6783 or dport = :6783 )' 2>/dev/null |
      sed -n 's/[][]//g; s/::ffff://g; s/^ *[0-9]* *[0-9]* *\([0-9.]*\):[0-9]* *\([0-9.]*\):[0-9].*/\1 \2/p')
    own=$ends peers=$(echo "$ends" | sed -n 's/.* //p')
  fi
  printf '{"kind":"%s","port":%s,"state":"%s","local":%s,"peers":%s}' \
    "$kind" "${port%% *}" "$state" "$(quoted_or_null "${own%% *}")" "$(echo "$peers" | sed '/^$/d' | list)"
}

# The subnet that Docker takes the containers' addresses on the bridge from.
subnet() {
  [ "$docker" != running ] || timeout 15 docker network inspect bridge --format \
    '{{index .Options "com.docker.network.bridge.name"}} {{range .IPAM.Config}}{{.IPRange}} {{end}}' 2>/dev/null |
    sed -n "s|^$bridge \([0-9./]\{1,\}\) .*|\1|p"
}

docker_state() {
  if ! command -v docker >/dev/null; then
    echo missing
  # Any question to the socket would start a Docker that somebody has stopped.
  elif systemctl is-active --quiet docker.socket 2>/dev/null && ! systemctl is-active --quiet docker.service; then
    echo off
  elif ids=$(timeout 15 docker ps --quiet 2>/dev/null); then
    echo "running" "$ids"
  else
    echo off
  fi
}

# Prints "NAME PID NETWORK" for each running container, by name.
running() {
  # shellcheck disable=SC2086 # one word an id
  [ $# -eq 0 ] || timeout 15 docker inspect --format '{{.Name}} {{.State.Pid}} {{.HostConfig.NetworkMode}}' "$@" 2>/dev/null |
    sed 's|^/||' | sort
}

# The interface in the container says it for every way that Docker or Weave may have put it there.
address_of() {
  [ -z "$cidr" ] || nsenter -t "$1" -n ip -o -4 addr show to "$cidr" 2>/dev/null |
    sed -n 's|.* inet \([0-9.]*\).*|\1|p' | head -n 1
}

cidr=$(ip -o -4 addr show dev "$bridge" 2>/dev/null | sed -n 's|.* inet \([0-9./]*\).*|\1|p' | head -n 1)
# shellcheck disable=SC2046 # the state, and one word an id
set -- $(docker_state)
docker=$1
shift

known=" ${cidr%/*} " containers='' stray='' count=0
while read -r name pid network; do
  [ -n "$name" ] || continue
  address=$(address_of "$pid")
  if [ -z "$address" ]; then
    case $network in default | bridge) stray="$stray,\"$name\"" ;; esac
    continue
  fi
  # Containers may share the host's network, or one another's.
  case $known in *" $address "*) continue ;; esac
  known="$known$address "
  count=$((count + 1))
  [ "$count" -le "$limit" ] || continue
  containers="$containers,{\"name\":\"$name\",\"address\":\"$address\",\"pid\":$pid}"
done <<END
$(running "$@")
END

# The line feed before it ends what a shell's start-up files may have printed.
printf '\n{"bridge":{"state":"%s","address":%s},"datapath":%s,"docker":"%s","containers":[%s],"containers_total":%d,"stray":[%s],"subnet":%s}\n' \
  "$(state "$(ip -o link show dev "$bridge" 2>/dev/null)")" "$(quoted_or_null "${cidr%/*}")" "$(datapath)" \
  "$docker" "${containers#,}" "$count" "${stray#,}" "$(quoted_or_null "$(subnet)")"
