import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import { whyNotLoadable } from "../core/kernel_module";
import { commandLineOf } from "../core/proc";
import { type IpLink, parseLinks } from "../formats/iproute";
import { parseRoutes, parseRules, type Route, type Rule } from "../formats/routes";
import type { DeviceKind, MissingKind } from "./observed";
import { type BridgeOptions, hasWireguard } from "./options";

const NETWORK = ["ip", "-d", "-batch", "-"];
/** One process runs all of them. Only IPv4 routes are in 0.0.0.0/0. */
const COMMANDS = ["addr show", "route show table all root 0.0.0.0/0", "rule show"];

/** The devices with their addresses, the IPv4 routes of all tables, and the rules that choose a table. */
export function observeNetwork(host: Host): { links: IpLink[]; routes: Route[]; rules: Rule[] } {
  const { status, stdout, stderr } = host.run(NETWORK, { input: `${COMMANDS.join("\n")}\n`, mayFail: true });
  // A kernel without policy routing has no rules: the last command fails.
  if (status !== 0 && !stderr.includes(`Command failed -:${COMMANDS.length}`))
    throw new UserError(
      `${NETWORK.join(" ")}: must succeed (found status ${status}: ${stderr.trim()}). Check that iproute2 works on this host (ip addr).`,
    );
  // Devices are as `2: eth0: <…`, rules as `0:\tfrom all …`; routes begin with their type or network. Further lines of one are indented.
  const records = stdout.split(/\n(?!\s)/);
  const recordsWhere = (matches: (record: string) => boolean): string => records.filter(matches).join("\n");
  return {
    links: parseLinks(recordsWhere((record) => /^\d+: /.test(record))),
    routes: parseRoutes(recordsWhere((record) => !/^\d+:/.test(record))),
    rules: parseRules(recordsWhere((record) => /^\d+:\t/.test(record))),
  };
}

/**
 * The kinds of devices that the options need and that this kernel neither has nor can load. The kernel asks for them by these aliases
 * when `ip link add` needs them (net/core/rtnetlink.c).
 */
export function findMissingKinds(
  { datapath }: BridgeOptions,
  programs: ReadonlySet<string>,
  host: Host,
): readonly MissingKind[] {
  const kinds: readonly DeviceKind[] = datapath === "vxlan" ? ["bridge", "vxlan"] : ["bridge"];
  return kinds.flatMap((kind) => {
    const found = whyNotLoadable(kind, `rtnl-link-${kind}`, programs, host);
    return found === null ? [] : [{ kind, found }];
  });
}

/**
 * What holds the VXLAN's UDP port so that the kernel could not listen on it, which it does on all of the host's IPv4
 * addresses, or IPv6 if it is encrypted. A socket of another VXLAN is ignored, as VXLANs can share it. Docker Swarm creates its VXLANs in this
 * namespace too, and moves them into those of its overlay networks (createVxlan() in moby's ov_utils.go).
 */
export function findPortHolder(options: BridgeOptions, links: readonly IpLink[], host: Host): string | null {
  const { datapath, vxlan_port: port } = options;
  if (datapath !== "vxlan") return null;
  const encrypted = hasWireguard(options);
  if (links.some(({ up, vxlan }) => up && vxlan?.port === port && vxlan.ipv6 === encrypted)) return null;
  const holder = findHolder(port, encrypted ? "ipv6" : "ipv4", host);
  return holder === KERNEL && host.readdir("/run/docker/netns").some((name) => /^\d+-/.test(name)) ? null : holder;
}

const KERNEL = "a socket of the kernel, such as another tunnel's";

/** The protocol of a socket, which may serve both. */
export type Family = "ipv4" | "ipv6" | "any";

/** What holds a UDP port. */
export function findHolder(port: number, family: Family, host: Host): string | null {
  const tables = ["/proc/net/udp", "/proc/net/udp6"].map((path) => host.readText(path) ?? "");
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const isUsed = tables.some((table) => table.split("\n").some((row) => row.trim().split(/\s+/)[1]?.endsWith(suffix)));
  if (!isUsed) return null;
  const programOf = (pid: number): string | null => commandLineOf(pid, host)?.[0]?.split("/").at(-1) || null;
  return parsePortHolder(host.run(["ss", "-uanp"]).stdout, port, family, programOf);
}

/**
 * Parses the output of `ss -uanp`: who holds a UDP port, on any address. ss prints a socket for both protocols as `*`, one
 * for IPv6 only as `[::]`. It names a process by its main thread, which Node.js calls MainThread from version 22 on, so
 * `programOf` may know the program of a process id.
 */
export function parsePortHolder(
  output: string,
  port: number,
  family: Family,
  programOf: (pid: number) => string | null = () => null,
): string | null {
  for (const row of output.split("\n")) {
    const [, local = "", rest = ""] = /^\S+\s+\d+\s+\d+\s+(\S+)\s+\S+\s*(.*)$/.exec(row) ?? [];
    const [, address = "", found] = /^(.*):(\d+)$/.exec(local) ?? [];
    const socketFamily =
      address.startsWith("[") && !address.startsWith("[::ffff:") ? "ipv6" : address === "*" ? "any" : "ipv4";
    if (Number(found) !== port || (family !== "any" && socketFamily !== "any" && socketFamily !== family)) continue;
    const [, name, pid] = /users:\(\("([^"]*)",pid=(\d+)/.exec(rest) ?? [];
    return name === undefined ? KERNEL : `${programOf(Number(pid)) ?? name} (process ${pid})`;
  }
  return null;
}
