import { morePackages, type Suite } from "./suites";

const PACKAGES = [
  // A server as people have it, and what Docker wants beside itself.
  ...["systemd", "systemd-sysv", "dbus", "openssh-server", "docker.io", "apparmor", "ca-certificates"],
  // What the project's modules drive, and what they run on.
  ...["ifupdown", "iproute2", "iptables", "bridge-utils", "ethtool", "netbase", "python3", "nodejs"],
  // What may manage a host's network too; off until a test turns it on.
  "network-manager",
  // How a plain user becomes root.
  "sudo",
  // What the example of a service drives; python3-apt is how Ansible sees that they are there. Off until it turns them on.
  ...["dnsmasq", "haproxy", "python3-apt"],
  // What encrypts the VXLAN; the machine's kernel need not have WireGuard.
  ...["wireguard-tools", "wireguard-go"],
  // What tests look and probe with.
  ...["curl", "iputils-ping", "procps", "busybox-static"],
];

/** What a test host of a suite has installed, beside Debian's essential packages and what these need. */
export function packages(suite: Suite): readonly string[] {
  return [...PACKAGES, ...morePackages(suite)];
}

/** Units that would reach for the machine's kernel. */
export const KERNEL_UNITS = [
  // It would load its profiles into the machine's kernel.
  "apparmor.service",
  // These mount file systems of the kernel's that belong to the machine.
  "dev-hugepages.mount",
  "proc-sys-fs-binfmt_misc.automount",
  "sys-fs-fuse-connections.mount",
  "sys-kernel-config.mount",
  "sys-kernel-debug.mount",
  "sys-kernel-tracing.mount",
  "systemd-binfmt.service",
  // There are no modules to load; docker.service's own wish for them ends here too.
  "modprobe@.service",
  "systemd-modules-load.service",
  // The machine's devices are not the hosts' to name.
  "systemd-udevd.service",
  "systemd-udevd-control.socket",
  "systemd-udevd-kernel.socket",
  "systemd-udev-settle.service",
  "systemd-udev-trigger.service",
  // These are the machine's: its audit log, its crash records, its disks.
  "systemd-journald-audit.socket",
  "systemd-pstore.service",
  "systemd-remount-fs.service",
  "e2scrub_reap.service",
  "e2scrub_all.timer",
  "fstrim.timer",
];

/** Units that are off on every host. */
export const MASKED_UNITS = [
  ...KERNEL_UNITS,
  // There is no terminal to log in on.
  "getty.target",
  // A host lives for minutes and has no mirror to ask.
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "dpkg-db-backup.timer",
];

/** Of the kernel's settings only the network's are the host's own. Without this, hosts would set the machine's, or fail. */
export const NETWORK_SETTINGS_ONLY = "/etc/systemd/system/systemd-sysctl.service.d/network-only.conf";

/** Files of every host, by path. */
export const FILES: Readonly<Record<string, string>> = {
  [NETWORK_SETTINGS_ONLY]: "[Service]\nExecStart=\nExecStart=/lib/systemd/systemd-sysctl --prefix=/net\n",
  "/etc/fstab": "",
  "/etc/resolv.conf": "nameserver 192.168.50.1\n",
};

/** Paths in a fresh tree that hosts must not share, or must not have. */
export const REMOVED_FILES = [
  // Each host gets its own.
  ...["rsa", "ecdsa", "ed25519"].flatMap((type) => [
    `/etc/ssh/ssh_host_${type}_key`,
    `/etc/ssh/ssh_host_${type}_key.pub`,
  ]),
  // NetworkManager is off until a test turns it on.
  "/etc/systemd/system/multi-user.target.wants/NetworkManager.service",
  "/etc/systemd/system/network-online.target.wants/NetworkManager-wait-online.service",
  // So are these until the example does.
  "/etc/systemd/system/multi-user.target.wants/dnsmasq.service",
  "/etc/systemd/system/multi-user.target.wants/haproxy.service",
  // The machine's: its mirror and its proxy, say.
  "/etc/apt/sources.list",
  "/etc/apt/apt.conf.d/99mmdebstrap",
];

// To be raised when the way from the recipe to a tree changes, so that trees built before are built again.
const VERSION = 1;

/** All that decides what is in the tree that hosts of a suite boot from. */
export function cacheKeyInputs(suite: Suite): readonly unknown[] {
  return [VERSION, suite, packages(suite), MASKED_UNITS, FILES, REMOVED_FILES];
}
