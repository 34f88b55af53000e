#!/bin/sh
# Runs a program in a Debian tree: run by suite.ts as the first program of its own mount namespace, which takes all
# that is mounted here with it when its last process ends, however that ends.
# Arguments: the tree; directories of the machine to have there by the same paths; --; the program with its arguments.
set -eu

tree=$1
shift
# Over the tree's own mnt, so that nothing of the machine is hidden and no directory is needed.
mount -t tmpfs -o mode=755 tmpfs "$tree/mnt"
root=$tree/mnt/root
mkdir "$tree/mnt/upper" "$tree/mnt/work" "$root"
mount -t overlay -o "lowerdir=$tree,upperdir=$tree/mnt/upper,workdir=$tree/mnt/work" overlay "$root"

# With what is mounted below them: terminals, and the names of the network namespaces.
for directory in /dev /proc /run/netns; do
  [ -d "$directory" ] || continue
  mkdir -p "$root$directory"
  mount --rbind "$directory" "$root$directory"
done
# Without, as a cluster's hosts are mounted below its directory, and would be held for as long as this runs.
while [ "$1" != -- ]; do
  mkdir -p "$root$1"
  mount --bind "$1" "$root$1"
  shift
done
shift

directory=$PWD
cd "$root"
# The old root is stacked on the new one and taken off again: no directory is needed for it.
pivot_root . .
umount -l .
cd "$directory"
exec "$@"
