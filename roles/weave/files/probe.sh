#!/bin/sh
# Reads what the role needs to know of a host before its modules can run there. Changes nothing; needs neither Node.js nor Python.
# Prints one line of JSON for filter_plugins/weave_cluster.py.
#
#   probe.sh NETWORK PREFIX HOST_INDEX ADDRESS INTERFACE NODEJS SCRIPT
#
# NETWORK: the container network. PREFIX: the prefix length of a host's subnet. The others may be empty: the inventory's host
# index and underlay address, the interface that has that address, the inventory's Node.js program, and the path of the weave
# script, if the host must have it already.
network=$1 prefix=$2 host_index=$3 address=$4 interface=$5 inventory_nodejs=$6 script=$7
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

addresses_on() { ip -o -4 addr show dev "$1" 2>/dev/null | sed -n 's/.* inet \([0-9./]*\).*/\1/p'; }

# --- The host's current index, from its bridge's address, or from the address that the bridge gets at boot.

address_as_number() {
  IFS=./
  # shellcheck disable=SC2086
  set -- $1
  unset IFS
  echo $((($1 << 24) + ($2 << 16) + ($3 << 8) + $4))
}

# The reverse of what the module weave_bridge computes: the host with the index N has the Nth address of the network's first
# block, which is as large as a host's subnet. If that is full, further hosts have addresses from the network's end downwards.
index_of_address() {
  offset=$(($(address_as_number "$1") - $(address_as_number "$network")))
  size=$((1 << (32 - ${network#*/})))
  block=$((1 << (32 - prefix)))
  [ $offset -lt $size ] || return
  [ $offset -lt $block ] || offset=$((size + block - 2 - offset))
  if [ $offset -gt 0 ] && [ $offset -lt $((size / block)) ]; then echo $offset; fi
}

current_index=
bridge_address=$(addresses_on weave)
for found in $bridge_address \
  $(grep -hsoE '([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}' /etc/network/interfaces.d/weave.cfg /etc/systemd/network/05-weave.network); do
  [ -n "$current_index" ] || current_index=$(index_of_address "$found")
done

# --- Its underlay address.

if [ -z "$address" ] && [ -n "$interface" ]; then
  address=$(addresses_on "$interface" | head -n 1)
  address=${address%/*}
fi

# --- Node.js 16 or newer, for the modules.

is_nodejs_16() {
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  [ "${version%%.*}" -ge 16 ] 2>/dev/null
}

# Root runs it, so a Node.js in the role's directory must be root's, and nobody else's to write to.
is_roots() {
  case $1 in
    /var/lib/apollo-weave/*) set -- /var/lib/apollo-weave "${1%/bin/node}" "${1%/node}" "$1" ;;
    *) return 0 ;;
  esac
  [ "$(find -H "$@" -maxdepth 0 -user 0 ! -perm -020 ! -perm -002 2>/dev/null | wc -l)" -eq $# ]
}

nodejs=
unsuitable_nodejs=
for candidate in ${inventory_nodejs:-$(command -v node nodejs) /usr/local/*/bin/node /opt/bin/node /opt/*/bin/node /snap/bin/node /var/lib/apollo-weave/node-*/bin/node}; do
  [ -x "$candidate" ] || continue
  if ! is_roots "$candidate"; then
    unsuitable_nodejs="$unsuitable_nodejs $candidate could be changed by other users"
    continue
  fi
  if is_nodejs_16 "$candidate"; then
    nodejs=$candidate
    break
  fi
  unsuitable_nodejs="$unsuitable_nodejs $candidate ${version:-does not run}"
done
# The major version of the distribution's package.
packaged_nodejs=
if [ -z "$nodejs" ] && command -v apt-cache >/dev/null; then
  policy=$(apt-cache policy nodejs 2>/dev/null)
  candidate=$(printf '%s\n' "$policy" | sed -n 's/^ *Candidate: //p')
  # If that version is installed already, its program is too old, or it would have been found above.
  [ "$candidate" = "$(printf '%s\n' "$policy" | sed -n 's/^ *Installed: //p')" ] ||
    packaged_nodejs=$(printf %s "$candidate" | sed -n 's/^\([0-9]*:\)\{0,1\}\([0-9]*\)\..*/\2/p')
fi

# --- Whether the host has a Weave router that runs or starts with Docker. The docker program is used only if Docker runs, as it
# would start a stopped Docker.

router=false
unit=/etc/init/weave.conf
[ ! -d /run/systemd/system ] || unit=/etc/systemd/system/weave.service
if [ -e $unit ] || [ -e /etc/weave.env ]; then router=true; fi
if [ $router = false ] && [ -e /var/run/docker.pid ] && timeout 10 docker container inspect weave >/dev/null 2>&1; then router=true; fi

# --- Whether Docker's default bridge is the bridge weave.

# The bridge among dockerd's arguments, one per line, as it reads them: -b weave, -Db=weave, --bridge=weave; the last one counts.
bridge_of() {
  awk '
    expects { value = $0; expects = 0; next }
    /^--bridge=/ { value = substr($0, 10); next }
    /^-D*b/ { sub(/^-D*b=?/, ""); if ($0 == "") expects = 1; else value = $0; next }
    $0 == "--bridge" { expects = 1 }
    END { print value }'
}

# The words of DOCKER_OPTS= and ExecStart= in these files, for a Docker that does not run.
words_of() {
  sed -e ':a' -e '/\\$/{N;s/\\\n/ /;ta' -e '}' "$@" 2>/dev/null |
    grep -E '^[[:space:]]*(export[[:space:]]+)?(DOCKER_OPTS|ExecStart|Environment)=' |
    sed 's/^[^=]*=//' | tr -s " \t\r\"'" '\n'
}

docker_uses_bridge=false
pid=$(cat /var/run/docker.pid 2>/dev/null)
if [ -r "/proc/${pid:-none}/cmdline" ] && grep -q docker "/proc/$pid/comm"; then
  words=$(tr '\0' '\n' <"/proc/$pid/cmdline")
else
  words=$(words_of /etc/default/docker /etc/systemd/system/docker.service /etc/systemd/system/docker.service.d/*.conf)
fi
config=$(printf '%s\n' "$words" | sed -n -e 's/^--config-file=//p' -e '/^--config-file$/{n;p}' | tail -n 1)
if [ -e /sys/class/net/weave-vx ] || [ "$(printf '%s\n' "$words" | bridge_of)" = weave ] ||
  tr -d ' \t\r\n' 2>/dev/null <"${config:-/etc/docker/daemon.json}" | grep -q '[{,]"bridge":"weave"[,}]'; then
  docker_uses_bridge=true
fi

missing_script=
if [ -n "$script" ] && ! [ -f "$script" ]; then missing_script=$script; fi

# Removes what JSON would have to escape. tr is started only if needed: one process for each value would take longer than the
# rest of the script.
clean() {
  case $1 in
    *[![:alnum:]\ ._/+:-]*) printf %s "$1" | tr -cd '[:alnum:] ._/+:-' ;;
    *) printf %s "$1" ;;
  esac
}
host_index=${host_index:-${current_index:-0}}
keeps_host_index=false
[ "$host_index" = 0 ] || [ "$host_index" != "$current_index" ] || keeps_host_index=true
printf '{"host_index": %d, "keeps_host_index": %s, "address": "%s", "bridge_address": "%s", "docker_uses_bridge": %s, "router": %s, ' \
  "$host_index" $keeps_host_index "$(clean "$address")" "$(clean "${bridge_address%%/*}")" $docker_uses_bridge $router
printf '"missing_script": "%s", "nodejs": "%s", "inventory_nodejs": "%s", "unsuitable_nodejs": "%s", "packaged_nodejs": %d, "architecture": "%s"}\n' \
  "$(clean "$missing_script")" "$(clean "$nodejs")" "$(clean "$inventory_nodejs")" "$(clean "${unsuitable_nodejs# }")" \
  "${packaged_nodejs:-0}" "$(clean "$(uname -m)")"
