import type { Host } from "../core/host/host";
import { whyNotLoadable } from "../core/kernel_module";
import type { IpLink } from "../formats/iproute";
import type { DeviceKind, MissingKind } from "./observed";
import type { BridgeOptions } from "./options";

/**
 * The kinds of devices, of those that the options need, that this kernel has not and can't load. The kernel asks for them by these
 * aliases when `ip link add` needs them (net/core/rtnetlink.c).
 */
export function findMissingKinds(
  { datapath }: BridgeOptions,
  programs: ReadonlySet<string>,
  host: Host,
): readonly MissingKind[] {
  const kinds: readonly DeviceKind[] = datapath === "vxlan" ? ["bridge", "vxlan"] : ["bridge"];
  return kinds.flatMap((kind) => {
    const found = whyNotLoadable(kind, `rtnl-link-${kind}`, programs.has("modprobe"), host);
    return found === null ? [] : [{ kind, found }];
  });
}

/**
 * What holds the VXLAN's UDP port so that the kernel could not listen on it, which it does on all of the host's IPv4
 * addresses. A VXLAN's own socket is not meant: others can share it.
 */
export function findPortHolder(
  { datapath, vxlan_port: port }: BridgeOptions,
  links: readonly IpLink[],
  host: Host,
): string | null {
  if (datapath !== "vxlan") return null;
  if (links.some(({ up, vxlan }) => up && vxlan?.port === port && !vxlan.ipv6)) return null;
  const tables = ["/proc/net/udp", "/proc/net/udp6"].map((path) => host.readText(path) ?? "");
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const isUsed = tables.some((table) => table.split("\n").some((row) => row.trim().split(/\s+/)[1]?.endsWith(suffix)));
  return isUsed ? parsePortHolder(host.run(["ss", "-uanp"]).stdout, port) : null;
}

/**
 * Parses the output of `ss -uanp`: who holds a UDP port for IPv4, on any address. ss prints a socket for both protocols as
 * `*`, one for IPv6 alone as `[::]`.
 */
export function parsePortHolder(output: string, port: number): string | null {
  for (const row of output.split("\n")) {
    const [, local = "", rest = ""] = /^\S+\s+\d+\s+\d+\s+(\S+)\s+\S+\s*(.*)$/.exec(row) ?? [];
    const [, address = "", found] = /^(.*):(\d+)$/.exec(local) ?? [];
    if (Number(found) !== port || (address.startsWith("[") && !address.startsWith("[::ffff:"))) continue;
    const [, program, pid] = /users:\(\("([^"]*)",pid=(\d+)/.exec(rest) ?? [];
    return program === undefined ? "a socket of the kernel, such as another tunnel's" : `${program} (process ${pid})`;
  }
  return null;
}
