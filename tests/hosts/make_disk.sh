#!/bin/sh
# Makes the disk of a virtual machine of a host's root tree and a kernel's modules: run by disk.ts.
# Arguments: the root tree, the tree of the kernel's packages, the file to make, and its size.
set -eu
root=$1 kernel=$2 disk=$3 size=$4

# Which host's root tree has links in the place of /bin, /lib and /sbin.
tar -C "$kernel" -c lib/modules bin/kmod sbin/depmod sbin/insmod sbin/lsmod sbin/modinfo sbin/modprobe sbin/rmmod |
  tar -C "$root" -x --keep-directory-symlink
# Nothing of it is to survive the machine, so nothing need be ready for that.
exec mke2fs -q -t ext4 -E lazy_itable_init=1,lazy_journal_init=1 -d "$root" "$disk" "$size"
