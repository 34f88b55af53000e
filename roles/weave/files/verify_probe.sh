#!/bin/sh
# verify_probe.sh LIMIT [NETWORK]: prints a line of JSON about the network on this host, with at most LIMIT of its containers to test,
# and of the others as many as make ten.
# NETWORK: the Docker network whose containers are on the bridge; without it Docker's default network.
# -f: what Docker says is split into words, and must not be taken for the names of files.
set -fu
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
limit=$1 network=${2:-bridge} listed=10
bridge=weave

# state LINE: the state that a line of `ip -o link` shows.
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

# Reads addresses, one per line; prints a JSON list.
list() {
  echo "[$(sort -u | sed 's/.*/"&"/' | paste -s -d , -)]"
}

# Read from the bridge, however it was configured. A router's connections show where its tunnels begin (`local`) and end
# (`peers`); those of Weave 1.x, in its own network namespace, are not visible.
datapath() {
  kind=none port=null state=missing id='' own='' peers='' wireguard=''
  vxlan=$(ip -o -d link show master "$bridge" type vxlan 2>/dev/null | head -n 1)
  if [ -n "$vxlan" ]; then
    kind=vxlan port=${vxlan#* dstport } state=$(state "$vxlan") device=${vxlan#*: } id=${vxlan#* vxlan id }
    id=",\"id\":${id%% *}"
    case $vxlan in *' local '*) own=${vxlan#* local } ;; esac
    peers=$(bridge fdb show dev "${device%%[:@]*}" 2>/dev/null | sed -n 's/^00:00:00:00:00:00 .*dst \([0-9a-f.:]*\) .*/\1/p')
    case $vxlan in *" dev $bridge-wg "*) wireguard=",\"wireguard\":$(wireguard)" ;; esac
  elif ss -ltn 'sport = :6783' 2>/dev/null | grep -q LISTEN; then
    kind=router port=6783 state=up
    ends=$(ss -tn state established '( sport = :6783 or dport = :6783 )' 2>/dev/null |
      sed -n 's/[][]//g; s/::ffff://g; s/^ *[0-9]* *[0-9]* *\([0-9.]*\):[0-9]* *\([0-9.]*\):[0-9].*/\1 \2/p')
    own=$ends peers=$(echo "$ends" | sed -n 's/.* //p')
  fi
  printf '{"kind":"%s","port":%s,"state":"%s"%s,"local":%s,"peers":%s%s}' \
    "$kind" "${port%% *}" "$state" "$id" "$(quoted_or_null "${own%% *}")" "$(echo "$peers" | sed '/^$/d' | list)" "$wireguard"
}

# What encrypts the VXLAN: a line for the device, then one for each peer (wg(8), `show DEVICE dump`). Without the secret keys.
wireguard() {
  now=$(date +%s)
  printf '{"state":"%s"' "$(state "$(ip -o link show dev "$bridge-wg" 2>/dev/null)")"
  wg show "$bridge-wg" dump 2>/dev/null | {
    read -r _ key port _ || exit 0
    printf ',"key":"%s","port":%d,"peers":[' "$key" "$port"
    comma=''
    while read -r key _ endpoint address handshake received sent _; do
      [ "$handshake" = 0 ] && age=null || age=$((now - handshake))
      printf '%s{"key":"%s","endpoint":"%s","address":"%s","handshake":%s,"received":%d,"sent":%d}' \
        "$comma" "$key" "$endpoint" "${address%%/*}" "$age" "$received" "$sent"
      comma=,
    done
    printf ']'
  }
  printf '}'
}

# ask ARGUMENT...: prints what Docker's client prints, its errors included. The status is 124 if there is no answer in time: one container
# that hangs is enough for that.
ask() { timeout 15 docker "$@" 2>&1; }

# note_failure STATUS ERROR: what a client that failed says of Docker, so that what it has not listed does not count as not there.
note_failure() {
  if [ "$1" -eq 124 ]; then
    docker=unresponsive
  elif [ -n "$2" ]; then
    docker=failing docker_error=$2
  fi
}

# Sets `subnet` to that from which Docker gives containers on the bridge their addresses.
read_subnet() {
  subnet=''
  [ "$docker" = running ] || return
  answer=$(ask network inspect "$network" --format \
    '{{index .Options "com.docker.network.bridge.name"}} {{range .IPAM.Config}}{{.IPRange}} {{end}}')
  # It may have no such network.
  note_failure $? ''
  subnet=$(printf '%s\n' "$answer" | sed -n "s|^$bridge \([0-9./]\{1,\}\) .*|\1|p")
}

# Whether there is a dockerd to be started. A unit does not prove that: the administrator's own stays when the package is removed,
# and systemd generates one from the init script that Debian's package leaves.
has_dockerd() {
  program=$(systemctl show --property=ExecStart docker.service 2>/dev/null | sed -n 's/^ExecStart={ path=\(.*\) ; argv.*/\1/p' | head -n 1)
  case $program in '' | /etc/init.d/docker) program=dockerd ;; esac
  command -v "$program" >/dev/null
}

# Prints the state and, while Docker runs, the IDs of the running containers; or the error, if its client has one.
docker_state() {
  if ! command -v docker >/dev/null; then
    if has_dockerd; then echo no_client; else echo missing; fi
  # Any request to the socket would start a stopped Docker.
  elif systemctl is-active --quiet docker.socket 2>/dev/null && ! systemctl is-active --quiet docker.service; then
    if has_dockerd; then echo stopped; else echo missing; fi
  elif answer=$(ask ps --quiet); then
    echo running
    printf '%s\n' "$answer" | grep -xE '[[:alnum:] ]+'
  elif [ $? -eq 124 ]; then
    echo unresponsive
  elif systemctl is-active --quiet docker.service 2>/dev/null; then
    echo failing
    printf '%s\n' "$answer" | sed -n '$p'
  elif has_dockerd; then
    echo stopped
  else
    echo missing
  fi
}

# inspect FORMAT ID...: sets `lines` to what Docker tells of these containers in this format, which begins with the name, by name. Those
# that have been removed meanwhile are left out.
inspect() {
  lines=''
  if [ $# -eq 1 ] || [ "$docker" != running ]; then return; fi
  format=$1
  shift
  answer=$(ask inspect --format "$format" "$@")
  status=$?
  lines=$(printf '%s\n' "$answer" | sed -n 's|^/||p' | sort)
  [ $status -eq 0 ] || note_failure $status "$(printf '%s\n' "$answer" | grep -vi -e '^/' -e 'no such' -e '^$' | sed -n '$p')"
}

# "NAME PID NETWORK STATE .SERVICE .PORT .PORTS" of a container. While Docker starts one again and again, its PID is 0. SERVICE and PORT
# are labels: of the examples, of Registrator and of Compose. urlquery leaves nothing in them that JSON or the shell would read. PORTS are
# those that Docker publishes (HOST:CONTAINER) and those that the image exposes.
# shellcheck disable=SC2016 # Docker's variables
of_running='{{.Name}} {{.State.Pid}} {{.HostConfig.NetworkMode}} {{.State.Status}}{{with .Config.Labels}} .{{urlquery (or (index . "service") (index . "SERVICE_NAME") (index . "com.docker.compose.service"))}} .{{urlquery (index . "port")}}{{else}} . .{{end}} .{{range $port, $to := .NetworkSettings.Ports}}{{range $to}}{{.HostPort}}:{{$port}},{{else}}{{$port}},{{end}}{{end}}'

# label KEY .VALUE: the JSON of a value, unless it is empty.
label() {
  [ "${2#.}" = "" ] || printf ',"%s":"%s"' "$1" "${2#.}"
}

# Sets `lines` to the names of the containers that Docker could not start: it keeps the reason in State.Error, also of one that ran before.
inspect_failed() {
  ids=''
  if [ "$docker" = running ]; then
    answer=$(ask ps --all --quiet --filter status=created --filter status=exited --filter status=dead)
    note_failure $? ''
    ids=$(printf '%s\n' "$answer" | grep -xE '[[:alnum:] ]+')
  fi
  # shellcheck disable=SC2086 # one word per ID
  inspect '{{if .State.Error}}{{.Name}}{{end}}' $ids
}

# Why Docker's client fails, without what JSON would have to escape.
docker_error() {
  [ -z "$docker_error" ] || printf ',"docker_error":"%s"' "$(printf '%s\n' "$docker_error" | sed 's/[^]-~ -!#-[]//g')"
}

# Read from the interface in the container, whether Docker or Weave attached it.
address_of() {
  [ -z "$cidr" ] || nsenter -t "$1" -n ip -o -4 addr show to "$cidr" 2>/dev/null |
    sed -n 's|.* inet \([0-9.]*\).*|\1|p' | head -n 1
}

# Whether iptables drops frames between the bridge's ports, which pass through FORWARD with bridge-nf-call-iptables. The rule that accepts
# them may be the role's or Docker's, which from 28 on accepts all that containers send.
frames() {
  called=0
  if [ -r /proc/sys/net/bridge/bridge-nf-call-iptables ]; then read -r called </proc/sys/net/bridge/bridge-nf-call-iptables; fi
  [ "$called" = 1 ] || return
  rules=$(iptables -w 5 -S 2>/dev/null) || return
  # icc: false, which Docker has before the role's rule from 28 on.
  isolating=$(echo "$rules" | sed -n "s/^-A \([^ ]*\) -i $bridge -o $bridge -j DROP$/\1/p" | head -n 1)
  case $(echo "$rules" | grep -m 1 -e "^-A FORWARD -i $bridge -o $bridge .*-j" -e "^-A FORWARD -j $isolating$") in
    *" -j DROP" | *" -j $isolating") printf ',"frames":"icc_off"' && return ;;
  esac
  if echo "$rules" | grep -qE -e '^-P FORWARD DROP$' -e '^-A FORWARD -j (DROP|REJECT)' &&
    ! echo "$rules" | grep -qE -e "^-A [^ ]*FORWARD[^ ]* -i $bridge( -o $bridge)?( -m comment --comment [^ ]+)? -j ACCEPT$"; then
    printf ',"frames":"dropped"'
  fi
}

# Which firewall of this host drops by default what other hosts send, or may.
firewall() {
  owner=''
  if systemctl is-active --quiet firewalld 2>/dev/null; then
    owner=firewalld
  elif grep -qi '^ENABLED=.\{0,1\}yes' /etc/ufw/ufw.conf 2>/dev/null; then
    owner=ufw
  elif iptables -w 5 -S INPUT 2>/dev/null | grep -qE -e '^-P INPUT DROP$' -e '^-A INPUT -j (DROP|REJECT)'; then
    owner=iptables
  elif nft list ruleset 2>/dev/null | grep -q 'hook input .* policy drop;'; then
    owner=nftables
  fi
  [ -z "$owner" ] || printf ',"firewall":"%s"' "$owner"
}

# The bridge's MAC address, and what it is derived from, unless it is set.
identity() {
  [ -r "/sys/class/net/$bridge/address" ] || return
  read -r mac <"/sys/class/net/$bridge/address"
  machine_id=''
  if [ -r /etc/machine-id ]; then read -r machine_id </etc/machine-id; fi
  case $machine_id in *[!0-9a-f]*) machine_id='' ;; esac
  printf ',"identity":{"mac":"%s","machine_id":"%s"}' "$mac" "$machine_id"
}

cidr=$(ip -o -4 addr show dev "$bridge" 2>/dev/null | sed -n 's|.* inet \([0-9./]*\).*|\1|p' | head -n 1)
# shellcheck disable=SC2046 # the state, and one word per ID
set -- $(docker_state)
docker=$1 docker_error=''
shift
if [ "$docker" = failing ]; then
  docker_error=$*
  set --
fi

known=" ${cidr%/*} " containers='' others='' off_network='' not_running='' count=0
inspect_failed
for name in $lines; do not_running="$not_running,\"$name\""; done
inspect "$of_running" "$@"
while read -r name pid mode state service port ports; do
  [ -n "$name" ] || continue
  if [ "$state" = restarting ]; then
    not_running="$not_running,\"$name\""
    continue
  fi
  address=$(address_of "$pid")
  if [ -z "$address" ]; then
    [ "$mode" != default ] || mode=bridge
    [ "$mode" != "$network" ] || off_network="$off_network,\"$name\""
    continue
  fi
  # Containers may share a network namespace with the host or with one another.
  case $known in *" $address "*) continue ;; esac
  known="$known$address "
  count=$((count + 1))
  entry="{\"name\":\"$name\",\"address\":\"$address\",\"pid\":$pid$(label service "$service")$(label port "$port")$(label ports "$ports")}"
  if [ "$count" -le "$limit" ]; then
    containers="$containers,$entry"
  elif [ "$count" -le "$listed" ]; then
    others="$others,$entry"
  fi
done <<END
$lines
END
read_subnet

# The line feed ends an unfinished line of the shell's start-up files.
printf '\n{"bridge":{"state":"%s","address":%s},"datapath":%s,"docker":"%s","containers":[%s],"others":[%s],"containers_total":%d,"off_network":[%s],"not_running":[%s],"subnet":%s,"user_id":%d%s%s%s%s}\n' \
  "$(state "$(ip -o link show dev "$bridge" 2>/dev/null)")" "$(quoted_or_null "${cidr%/*}")" "$(datapath)" \
  "$docker" "${containers#,}" "${others#,}" "$count" "${off_network#,}" "${not_running#,}" "$(quoted_or_null "$subnet")" "$(id -u)" "$(docker_error)" "$(identity)" "$(frames)" "$(firewall)"
