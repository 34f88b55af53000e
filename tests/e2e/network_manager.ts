import type { Host } from "../hosts/host";

const ETH0 = `[connection]
id=eth0
type=ethernet
interface-name=eth0

[ipv4]
method=manual
address1=ADDRESS/24,192.168.50.1

[ipv6]
method=ignore
`;

// Without this it waits for udev, which no test host has, before it looks at a device. ReadOnlyPaths=/sys leaves /sys writable
// for it with systemd 257.
const WITHOUT_UDEV = "[Service]\nBindReadOnlyPaths=/sys\n";

// On any other host udev tells it so of containers' ports (NetworkManager's 85-nm-unmanaged.rules). It would configure them.
const WITHOUT_VETH = "[keyfile]\nunmanaged-devices=interface-name:veth*\n";

/** Prepares NetworkManager for a host without udev. */
export async function setUpNetworkManager(host: Host): Promise<void> {
  await host.write("/etc/NetworkManager/conf.d/10-veth.conf", WITHOUT_VETH);
  await host.write("/etc/systemd/system/NetworkManager.service.d/without-udev.conf", WITHOUT_UDEV);
}

/** Makes only NetworkManager manage a test host's network, as on RHEL and Fedora, and reboots it. Debian's ifupdown is removed. */
export async function underNetworkManager(host: Host): Promise<void> {
  await setUpNetworkManager(host);
  const profile = "/etc/NetworkManager/system-connections/eth0.nmconnection";
  await host.write(profile, ETH0.replace("ADDRESS", host.address), 0o600);
  await host.exec(["sh", "-c", WITHOUT_IFUPDOWN]);
  await host.exec(["systemctl", "enable", "NetworkManager.service"]);
  await host.reboot();
}

const UNDERLAY = `[Unit]
DefaultDependencies=no
Before=network-pre.target
Wants=network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=ip addr add ADDRESS/24 dev eth0
ExecStart=ip link set eth0 up
ExecStart=ip route add default via 192.168.50.1

[Install]
WantedBy=multi-user.target
`;

/** Makes nothing manage a test host's network: a unit sets its address. Reboots it. */
export async function underNothing(host: Host): Promise<void> {
  await host.write("/etc/systemd/system/underlay.service", UNDERLAY.replace("ADDRESS", host.address));
  await host.exec(["sh", "-c", WITHOUT_IFUPDOWN]);
  await host.exec(["systemctl", "enable", "underlay.service"]);
  await host.reboot();
}

const WITHOUT_IFUPDOWN = `systemctl mask networking.service
systemctl disable systemd-networkd.service systemd-networkd.socket
dpkg --purge ifupdown
rm -rf /etc/network /etc/systemd/network/*
`;

/**
 * Restarts NetworkManager, and makes it release all devices that it manages and take them over again. Returns what it says then of
 * the underlay and of each other device that is not its own, such as "weave:unmanaged", in order.
 */
export async function disturbNetworkManager(host: Host): Promise<string[]> {
  const script = `set -e
    systemctl restart NetworkManager
    nm-online --timeout=30 --quiet
    nmcli networking off
    nmcli networking on
    nm-online --timeout=30 --quiet
    nmcli --terse --fields DEVICE,STATE device`;
  const { stdout } = await host.exec(["sh", "-c", script], { timeoutSeconds: 120 });
  return stdout
    .split("\n")
    .filter((line) => /^(eth0|veth|weave)/.test(line))
    .map((line) => line.replace(/^veth[0-9a-f]+/, "veth"))
    .sort();
}
