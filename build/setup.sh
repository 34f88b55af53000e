#!/usr/bin/env bash
# Makes a machine ready for the demo, the tests and the test hosts: Debian packages, npm packages. Does nothing where all
# is there. Says in one sentence what this machine lacks before it installs anything.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "$1" >&2
  exit 1
}

[ "$(uname -s)" = Linux ] || fail "This needs Linux: the test hosts are namespaces of its kernel."
[ "$(id -u)" = 0 ] || fail "This needs root, to make namespaces, bridges and mounts: run it again with sudo."
command -v apt-get >/dev/null || fail "This needs Debian: the test hosts are made of its packages, by apt."
unshare --mount --pid --net --uts --ipc --cgroup --fork true 2>/dev/null ||
  fail "This machine allows no new namespaces (is it a container?): run it on a machine or virtual machine of its own."
node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' ||
  fail "This needs Node.js 20 or newer (found $(node --version))."

packages=(
  ansible-core     # what all this is for; asks for python3
  ansible-lint     # lints the role and its playbooks
  chromium-headless-shell # shows the page of verify.yml
  e2fsprogs        # makes the disk of a virtual machine
  iperf3           # npm run bench: the throughput between test hosts
  iproute2         # ip, bridge: the test hosts' network
  mmdebstrap       # the test hosts' root tree
  mypy             # checks the types of the Python files
  netcat-openbsd   # carries SSH into the test hosts' network
  openssh-client   # how Ansible reaches them
  procps           # looks at their processes
  python3-prometheus-client # reads the metrics as Prometheus does
  qemu-system-x86  # runs a kernel of Debian's
  shellcheck       # lints the shell files
  strace           # has the modules' system calls fail
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "Installing ${missing[*]} …"
  log=$(mktemp)
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "apt could not install ${missing[*]} (its last output is above). Correct that and run this again."
  }
  rm -f "$log"
fi

if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
  echo "Installing the npm packages of package-lock.json …"
  # No package here needs its install script: their programs come in packages of their own.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
fi
