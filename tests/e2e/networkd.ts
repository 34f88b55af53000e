import type { Host } from "../hosts/host";

const ETH0 = `[Match]
Name=eth0

[Network]
Address=ADDRESS/24
Gateway=192.168.50.1
# No router answers on a test host's underlay, and waiting for one makes each boot 14 s longer.
IPv6AcceptRA=no
`;

// No udev tells a test host's devices; systemd-networkd does without where it may not write /sys, as in containers.
// ReadOnlyPaths=/sys leaves it writable for systemd-networkd of 257.
const WITHOUT_UDEV = "[Service]\nBindReadOnlyPaths=/sys\n";

/** Has systemd-networkd manage a test host's network in place of ifupdown, as netplan has it, and reboots it. */
export async function underNetworkd(host: Host): Promise<void> {
  await host.write("/etc/systemd/network/10-netplan-eth0.network", ETH0.replace("ADDRESS", host.address));
  for (const unit of ["systemd-networkd", "systemd-networkd-wait-online"]) {
    await host.write(`/etc/systemd/system/${unit}.service.d/without-udev.conf`, WITHOUT_UDEV);
  }
  await host.exec(["systemctl", "mask", "networking.service"]);
  await host.exec(["systemctl", "enable", "systemd-networkd.service"]);
  await host.reboot();
}
