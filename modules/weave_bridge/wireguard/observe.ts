import type { Host } from "../../core/host/host";
import { canAskModprobe, whyNotLoadable } from "../../core/kernel_module";
import { NET_DEVICES } from "../../core/proc";
import { rememberSecret } from "../../core/secrets";
import { parseWireguardDump, type WireguardDump } from "../../formats/wireguard";
import { findHolder } from "../observe_kernel";
import type { ObservedLink, ObservedWireguard, WireguardNeeds } from "../observed";

/** The properties of a WireGuard device besides those of every device. */
export function observeWireguard(
  device: string,
  link: ObservedLink,
  programs: ReadonlySet<string>,
  host: Host,
): ObservedWireguard {
  const config = programs.has("wg") ? dump(device, host) : null;
  return {
    ...link,
    addresses: linkLocalAddresses(device, host),
    config,
    observedAt: Math.floor(Date.now() / 1000),
    byProgram: host.readText(`${NET_DEVICES}/${device}/tun_flags`) !== null,
  };
}

/** Through a pipe, as Ubuntu's AppArmor profile of wg (since 25.04) lets it write to no file, and so not to that of its output. */
function dump(device: string, host: Host): WireguardDump | null {
  const { stdout } = host.run(["sh", "-c", 'wg show "$0" dump | cat', device], { mayFail: true });
  const config = parseWireguardDump(stdout);
  if (config !== null) rememberSecret(config.privateKey);
  for (const { presharedKey } of config?.peers ?? []) if (presharedKey !== null) rememberSecret(presharedKey);
  return config;
}

/** In /proc/net/if_inet6: 32 digits, the device's number, the prefix length, scope and flags in hexadecimal, the device. */
function linkLocalAddresses(device: string, host: Host): readonly string[] {
  const rows = (host.readText("/proc/net/if_inet6") ?? "").split("\n").map((row) => row.trim().split(/\s+/));
  return rows
    .filter(([digits = "", , , , , name]) => name === device && digits.startsWith("fe80000000000000"))
    .map(([digits = "", , length = "0"]) => {
      const groups = digits.slice(16).match(/.{4}/g) ?? [];
      return `fe80::${groups.join(":")}/${Number.parseInt(length, 16)}`;
    });
}

/** Which of the things that an encrypted VXLAN needs this host has. */
export function observeNeeds(
  port: number,
  existing: ObservedWireguard | null,
  programs: ReadonlySet<string>,
  host: Host,
): WireguardNeeds {
  const tools = programs.has("wg");
  return {
    tools,
    // Without wg nothing else matters.
    implementation: !tools
      ? null
      : kernelHasWireguard(programs, host)
        ? "kernel"
        : programs.has("wireguard-go")
          ? "wireguard-go"
          : null,
    tun: host.readdir("/dev/net").includes("tun"),
    ipv6: host.readText("/proc/net/if_inet6") !== null,
    portHolder: existing?.config?.port === port ? null : findHolder(port, "any", host),
  };
}

function kernelHasWireguard(programs: ReadonlySet<string>, host: Host): boolean {
  if (host.readdir("/sys/module").includes("wireguard")) return true;
  if (canAskModprobe(programs, host))
    return whyNotLoadable("wireguard", "rtnl-link-wireguard", programs, host) === null;
  // Otherwise the only test is to create a device, in a network namespace that ends with the program.
  const attempt = ["unshare", "--net", "ip", "link", "add", "type", "wireguard"];
  return host.run(attempt, { mayFail: true }).status === 0;
}
