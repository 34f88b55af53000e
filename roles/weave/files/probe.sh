#!/bin/sh
# Reads what the role needs to know of a host before its modules can run there. Changes nothing; needs neither Node.js nor Python.
# Prints one line of JSON for filter_plugins/weave_cluster.py.
#
#   sh probe.sh network=10.2.0.0/16 prefix=24 [NAME=VALUE...]
#
# network and prefix: the container network, and the prefix length of a host's subnet.
# host_index, address: the index and the underlay address that the inventory gives the host.
# interface: the interface that has that address. peer: an address of another host, by the route to which one of several is chosen.
# inventory_nodejs: the Node.js program that the inventory names.
# script, scope_script, program, kernel_modules: what the host must have: the paths of the weave script and of Scope's, the name of a
# program, and of modules that its kernel has or can load.
# set_...: what the inventory sets for the host. These are only reported, as the role compares those of all hosts: the bridge's
# MAC address and its address, the containers' subnet, WireGuard's identity, a checksum of its private key, and (cluster_wide)
# the values of the variables that all hosts must have alike.
network='' prefix='' host_index='' address='' interface='' peer='' inventory_nodejs='' script='' scope_script='' program=''
kernel_modules=''
set_mac='' set_bridge='' set_docker_subnet='' set_wireguard_identity='' set_wireguard_key='' set_cluster_wide=''
for argument; do
  name=${argument%%=*}
  case $name in
    network | prefix | host_index | address | interface | peer | inventory_nodejs | script | scope_script | program) ;;
    kernel_modules) ;;
    set_mac | set_bridge | set_docker_subnet | set_wireguard_identity | set_wireguard_key | set_cluster_wide) ;;
    *)
      echo "probe.sh: unknown argument $name" >&2
      exit 2
      ;;
  esac
  eval "$name=\${argument#*=}"
done
# Where the modules and services find programs. A login may find more.
standard=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PATH=$PATH:$standard
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
  $(grep -hsoE '([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}' /etc/network/interfaces.d/weave.cfg /etc/systemd/network/05-weave.network \
    /etc/systemd/system/weave-bridge.service); do
  [ -n "$current_index" ] || current_index=$(index_of_address "$found")
done

# --- What identifies the host. On a host without a machine-id the file is missing or empty, or has one of these texts:
# https://www.freedesktop.org/software/systemd/man/machine-id.html

machine_id=
if [ -r /etc/machine-id ]; then read -r machine_id </etc/machine-id; fi
case $machine_id in uninitialized | 00000000000000000000000000000000) machine_id= ;; esac
bridge_mac=
if [ -r /sys/class/net/weave/address ]; then read -r bridge_mac </sys/class/net/weave/address; fi

# --- Its underlay address.

# Prints the address of the interface from which the host sends to a destination.
source_to() {
  route=$(ip -4 route get "$1" 2>/dev/null | head -n 1)
  case $route in
    *" dev $interface "*"src "*) route=${route##*"src "} ;;
    *) return ;;
  esac
  for found in $addresses; do
    if [ "${found%/*}" = "${route%% *}" ]; then echo "${route%% *}"; fi
  done
}

# Of several addresses, the one that the module weave_bridge would choose: by the route to a peer, else by the default route, for
# which an address of documentation stands (RFC 5737; nothing is sent). A single address (/32), such as keepalived adds, moves
# from host to host, so it comes last.
own_address() {
  addresses=$(addresses_on "$interface")
  case $addresses in
    *"
"*) for destination in $peer 192.0.2.1; do source_to "$destination"; done ;;
  esac
  printf '%s\n' "$addresses" | grep -v '/32$'
  printf '%s\n' "$addresses"
}

if [ -z "$address" ] && [ -n "$interface" ]; then
  address=$(own_address | head -n 1)
  address=${address%/*}
fi

# --- Node.js 16 or newer, for the modules, which run it as root.

# Root runs the program, so root must own it, the links to it and every directory on its path, and nobody else may write to
# them. In a directory with the sticky bit, others can't replace what root owns.
only_root_can_write() {
  ! namei -l "$1" 2>&1 | sed 1d | grep -qvE '^ *(l.{9}|d.{8}[tT]|.{5}-..-.) +root '
}

is_nodejs_16_or_newer() {
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  [ "${version%%.*}" -ge 16 ] 2>/dev/null
}

nodejs=
unsuitable_nodejs=
# Of the last one that is unsuitable: writable, not_checked, too_old or does_not_run.
nodejs_problem=
add_unsuitable() {
  nodejs_problem=$1
  unsuitable_nodejs="$unsuitable_nodejs${unsuitable_nodejs:+, }$candidate $2"
}
for candidate in ${inventory_nodejs:-$(command -v node; command -v nodejs) /usr/local/*/bin/node /opt/bin/node /opt/*/bin/node /snap/bin/node /var/lib/apollo-weave/node-*/bin/node}; do
  [ -x "$candidate" ] || continue
  if ! command -v namei >/dev/null; then
    add_unsuitable not_checked "could not be checked, as namei is missing"
    continue
  fi
  if ! only_root_can_write "$candidate"; then
    add_unsuitable writable "could be changed by other users"
    continue
  fi
  if is_nodejs_16_or_newer "$candidate"; then
    nodejs=$candidate
    break
  fi
  if [ -n "$version" ]; then add_unsuitable too_old "$version"; else add_unsuitable does_not_run "does not run"; fi
done
# The major version of the distribution's package, and the version of the C library, which limits that of Node.js.
packaged_nodejs=
libc=
if [ -z "$nodejs" ]; then
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || libc=$(ldd --version 2>&1 | sed -n '1s/^musl.*/musl/p; 1s/^ldd.* \([0-9.]*\)$/glibc \1/p')
fi
if [ -z "$nodejs" ] && command -v apt-cache >/dev/null; then
  policy=$(apt-cache policy nodejs 2>/dev/null)
  # The role neither upgrades a package that is installed nor overwrites another program.
  if [ "$(printf '%s\n' "$policy" | sed -n 's/^ *Installed: //p')" = "(none)" ] && [ ! -e /usr/bin/node ]; then
    packaged_nodejs=$(printf '%s\n' "$policy" | sed -n 's/^ *Candidate: \([0-9]*:\)\{0,1\}\([0-9]*\)\..*/\2/p')
  fi
fi

# --- Whether the host has a Weave router that runs or starts with Docker. The docker program is used only if Docker runs,
# because its request would start a stopped Docker through docker.socket.

router=false
unit=/etc/init/weave.conf
[ ! -d /run/systemd/system ] || unit=/etc/systemd/system/weave.service
if [ -e $unit ] || [ -e /etc/weave.env ]; then router=true; fi
# Debian 13 and newer have the client in a separate package. Without it, Docker's own files say what containers there are.
lacks_docker_client=false
(PATH=$standard; command -v docker) >/dev/null || ! command -v dockerd >/dev/null || lacks_docker_client=true
if [ $router = false ] && [ $lacks_docker_client = true ]; then
  grep -qs '"Name":"/weave"' /var/lib/docker/containers/*/config.v2.json && router=true
elif [ $router = false ] && [ -e /var/run/docker.pid ]; then
  timeout 10 docker container inspect weave >/dev/null 2>&1 && router=true
fi

# --- What carries frames to the other hosts: encrypted (a VXLAN under WireGuard), vxlan, router, or nothing.

datapath=
if [ -e /etc/wireguard/weave-wg.conf ]; then
  datapath=encrypted
elif [ -e /sys/class/net/weave-vx ]; then
  datapath=vxlan
elif [ $router = true ]; then
  datapath=router
fi
vxlan_id=
vxlan_port=
wireguard_port=
if [ -e /sys/class/net/weave-vx ]; then
  vxlan=$(ip -o -d link show dev weave-vx 2>/dev/null)
  case $vxlan in *' vxlan id '*' dstport '*) vxlan_id=${vxlan#* vxlan id } vxlan_port=${vxlan#* dstport } ;; esac
fi
if [ "$datapath" = encrypted ]; then
  while read -r key _ value; do [ "$key" != ListenPort ] || wireguard_port=$value; done </etc/wireguard/weave-wg.conf
fi

# --- Weave's services that the host has besides the router, and for these the version of the weave script. A unit that has Scope's
# name may be another program's.

services='' script_version=''
directory=/etc/init suffix=.conf scope=weavescope
if [ -d /run/systemd/system ]; then directory=/etc/systemd/system suffix=.service scope=scope; fi
unit=$directory/$scope$suffix
if [ -e $unit ] && grep -q 'Ansible managed (weave_service)' $unit; then services=scope; fi
for name in proxy plugin; do
  [ ! -e $directory/weave$name$suffix ] || services="$services${services:+ }$name"
done
if [ -n "$services" ] && [ -f "$script" ]; then
  script_version=$(sed -n 's/^SCRIPT_VERSION="v\{0,1\}\([0-9]*\.[0-9][0-9.]*\).*/\1/p' "$script" | head -n 1)
fi

# --- Whether a Docker network is on the bridge weave.

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

bridge_is_dockers() {
  pid=$(cat /var/run/docker.pid 2>/dev/null)
  if [ -r "/proc/${pid:-none}/cmdline" ] && grep -q docker "/proc/$pid/comm"; then
    words=$(tr '\0' '\n' <"/proc/$pid/cmdline")
  else
    words=$(words_of /etc/default/docker /etc/systemd/system/docker.service /etc/systemd/system/docker.service.d/*.conf)
  fi
  config=$(printf '%s\n' "$words" | sed -n -e 's/^--config-file=//p' -e '/^--config-file$/{n;p}' | tail -n 1)
  [ "$(printf '%s\n' "$words" | bridge_of)" = weave ] ||
    tr -d ' \t\r\n' 2>/dev/null <"${config:-/etc/docker/daemon.json}" | grep -q '[{,]"bridge":"weave"[,}]'
}

# A host with the VXLAN has a Docker network on the bridge, so Docker's options need not be read. A separate Docker network is
# in the file that docker_bridge_opts writes.
docker_uses_bridge=false
if [ -e /sys/class/net/weave-vx ] || grep -qsx 'bridge weave' /var/lib/apollo-weave/docker-network || bridge_is_dockers; then
  docker_uses_bridge=true
fi

# --- Docker: running, masked, stopped, or missing and then what is missing. A unit does not prove that dockerd
# is installed: the administrator's own stays when the package is removed, and systemd generates one from the init script that Debian's
# package leaves.

# Up to Docker 1.11 the daemon's program is the client's.
has_dockerd() {
  command -v dockerd || case $(docker --version) in
    'Docker version '0.* | 'Docker version '1.[0-9].* | 'Docker version '1.1[01].*) ;;
    *) false ;;
  esac
}

state_of_docker() {
  # A masked unit, a link to /dev/null, may still run, but can't be restarted.
  for unit in /etc/systemd/system/docker.service /run/systemd/system/docker.service; do
    [ -c "$unit" ] && echo masked && return
  done
  pid=''
  # dockerd writes no line feed, so read fails although it has read the number.
  read -r pid </var/run/docker.pid
  grep -q docker "/proc/${pid:-none}/comm" && echo running && return
  if ! unit=$(systemctl show --property=LoadState,ActiveState,ExecStart docker.service); then
    if [ -d /run/systemd/system ]; then echo stopped && return; fi
    # No systemd runs here.
    if has_dockerd; then unit=LoadState=loaded; else unit=LoadState=no-program; fi >/dev/null
    [ -e /etc/init/docker.conf ] || [ -e /etc/init.d/docker ] || unit=LoadState=not-found
  fi
  case $unit in
    *LoadState=masked*) echo masked ;;
    *LoadState=not-found*) echo missing docker.service ;;
    *LoadState=no-program*) echo missing dockerd ;;
    # It may have its PID elsewhere.
    *ActiveState=active* | *ActiveState=reloading*) echo running ;;
    *)
      program=$(printf '%s\n' "$unit" | sed -n 's/^ExecStart={ path=\(.*\) ; argv.*/\1/p' | head -n 1)
      [ "$program" != /etc/init.d/docker ] || program=dockerd
      if [ -z "$program" ] || command -v "$program" >/dev/null; then echo stopped; else echo "missing $program"; fi
      ;;
  esac
}
docker=$(state_of_docker 2>/dev/null)
missing_docker=${docker#missing}
[ "$missing_docker" != "$docker" ] || missing_docker=
docker=${docker%% *}

# --- What the role needs on the host and does not bring.

missing_script='' missing_scope_script='' missing_program=''
if [ -n "$script" ] && ! [ -f "$script" ]; then missing_script=$script; fi
if [ -n "$scope_script" ] && ! [ -f "$scope_script" ]; then missing_scope_script=$scope_script; fi
if [ -n "$program" ] && ! command -v "$program" >/dev/null; then missing_program=$program; fi

# Whether the kernel could load a module, as far as that can be found out: whyNotLoadable() in modules/core/kernel_module.ts.
is_loadable() {
  [ ! -d "/sys/module/$1" ] || return 0
  if ! [ -r /proc/modules ] || [ "$(cat /proc/sys/kernel/modules_disabled 2>/dev/null)" = 1 ]; then return 1; fi
  command -v modprobe >/dev/null || return 0
  # In a container, the machine's modprobe loads it.
  [ ! -e /run/systemd/container ] || [ -d "/lib/modules/$(uname -r)" ] || return 0
  steps=$(modprobe --dry-run --verbose "rtnl-link-$1" 2>/dev/null) || return 1
  ! printf '%s\n' "$steps" | grep -qE '^install (/usr)?/bin/(false|true)\b'
}
missing_module=
for module in $kernel_modules; do
  if ! is_loadable "$module" && ! { [ "$module" = wireguard ] && command -v wireguard-go >/dev/null; }; then missing_module=$module; fi
done

# Removes what JSON would have to escape. tr is started only if needed: one process for each value would take longer than the
# rest of the script.
clean() {
  case $1 in
    *[![:alnum:]\ ,._/+:-]*) printf %s "$1" | tr -cd '[:alnum:] ,._/+:-' ;;
    *) printf %s "$1" ;;
  esac
}
host_index=${host_index:-${current_index:-0}}
keeps_host_index=false
[ "$host_index" = 0 ] || [ "$host_index" != "$current_index" ] || keeps_host_index=true
printf '{"host_index": %d, "keeps_host_index": %s, "address": "%s", "bridge_address": "%s", "docker_uses_bridge": %s, "router": %s, "datapath": "%s", ' \
  "$host_index" $keeps_host_index "$(clean "$address")" "$(clean "${bridge_address%%/*}")" $docker_uses_bridge $router "$datapath"
printf '"vxlan_id": "%s", "vxlan_port": "%s", "wireguard_port": "%s", ' "${vxlan_id%% *}" "${vxlan_port%% *}" "$(clean "$wireguard_port")"
printf '"machine_id": "%s", "bridge_mac": "%s", "set_mac": "%s", "set_bridge": "%s", "set_docker_subnet": "%s", ' \
  "$(clean "$machine_id")" "$(clean "$bridge_mac")" "$(clean "$set_mac")" "$(clean "$set_bridge")" "$(clean "$set_docker_subnet")"
printf '"services": "%s", "script_version": "%s", ' "$services" "$script_version"
printf '"set_wireguard_identity": "%s", "set_wireguard_key": "%s", "set_cluster_wide": "%s", ' \
  "$(clean "$set_wireguard_identity")" "$(clean "$set_wireguard_key")" "$(clean "$set_cluster_wide")"
printf '"docker": "%s", "missing_docker": "%s", "missing_scope_script": "%s", "missing_program": "%s", "missing_module": "%s", "user_id": %d, ' \
  "$docker" "$(clean "${missing_docker# }")" "$(clean "$missing_scope_script")" "$(clean "$missing_program")" "$missing_module" "$(id -u)"
printf '"lacks_docker_client": %s, "missing_script": "%s", "nodejs": "%s", "inventory_nodejs": "%s", "unsuitable_nodejs": "%s", "nodejs_problem": "%s", "packaged_nodejs": %d, "libc": "%s", "architecture": "%s"}\n' \
  $lacks_docker_client "$(clean "$missing_script")" "$(clean "$nodejs")" "$(clean "$inventory_nodejs")" "$(clean "$unsuitable_nodejs")" \
  "$nodejs_problem" "${packaged_nodejs:-0}" "$(clean "$libc")" "$(clean "$(uname -m)")"
