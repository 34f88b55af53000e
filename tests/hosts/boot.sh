#!/bin/sh
# Boots one host: run by boot.ts as process 1 of new mount, pid, uts and ipc namespaces, in the host's network namespace.
# Environment: HOST its name, ROOT its root tree, INIT the file to leave the id of process 1 in, CGROUP_PROCS the files
# to enter its cgroups by, CGROUP_MOUNTS what to mount below its /sys/fs/cgroup (type:directory:options ...).
set -eu

if [ "${1:-}" != in-cgroups ]; then
  # /proc is still the machine's, so this is the id that the machine knows this process by, and when it started.
  read -r stat </proc/self/stat
  # shellcheck disable=SC2086
  set -- $stat
  pid=$1
  shift 21
  echo "$pid $1" >"$INIT"
  # Into the cgroups first, out of the machine's cgroup namespace then: the new namespace's root is where we are. The
  # parent stays outside, as systemd can't hand out controllers while another process is in the root cgroup.
  for procs in $CGROUP_PROCS; do echo 0 >"$procs"; done
  exec unshare --cgroup -- /bin/sh "$0" in-cgroups
fi

hostname "$HOST"
# With the directories that Docker keeps off the overlay, which are mounted below it.
mount --rbind "$ROOT" "$ROOT"
cd "$ROOT"

mount -t proc -o nosuid,noexec,nodev proc proc
# Like a new kernel's; a new namespace may have taken it over from the machine.
echo 0 >proc/sys/net/ipv4/ip_forward
# What is not part of the network namespace belongs to the machine: hosts may not write it.
mount --bind proc/sys proc/sys
mount --bind proc/sys/net proc/sys/net
mount -o remount,bind,ro proc/sys
if [ -e proc/sysrq-trigger ]; then
  mount --bind proc/sysrq-trigger proc/sysrq-trigger
  mount -o remount,bind,ro proc/sysrq-trigger
fi

# Anew, or /sys/class/net would show the machine's interfaces.
mount -t sysfs -o nosuid,noexec,nodev sysfs sys
case $CGROUP_MOUNTS in
  cgroup2:.:) ;;
  *) mount -t tmpfs -o mode=755,nosuid,nodev,noexec,size=1m tmpfs sys/fs/cgroup ;;
esac
for entry in $CGROUP_MOUNTS; do
  type=${entry%%:*}
  rest=${entry#*:}
  directory=${rest%%:*}
  options=${rest#*:}
  mkdir -p "sys/fs/cgroup/$directory"
  mount -t "$type" ${options:+-o "$options"} "$type" "sys/fs/cgroup/$directory"
  # cpu,cpuacct is one hierarchy that programs look for under either name.
  case $directory in
    *,*) for name in $(echo "$directory" | tr , ' '); do ln -s "$directory" "sys/fs/cgroup/$name"; done ;;
  esac
done

mount -t tmpfs -o mode=755,nosuid,size=4m tmpfs dev
make_device() { mknod -m 666 "dev/$1" c "$2" "$3"; }
mkdir dev/net dev/pts dev/shm dev/mqueue
make_device null 1 3
make_device zero 1 5
make_device full 1 7
make_device random 1 8
make_device urandom 1 9
make_device tty 5 0
make_device net/tun 10 200
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
ln -s pts/ptmx dev/ptmx
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp

# The old root is stacked on the new one and taken off again: no directory is needed for it.
pivot_root . .
umount -l .
cd /
exec chroot . /usr/bin/env -i container=apollo-weave-test-host TERM=dumb \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --show-status=0
