import type { Host } from "../core/host/host";
import type { IpLink } from "../formats/iproute";
import type { DeviceKind, MissingKind } from "./observed";
import type { BridgeOptions } from "./options";

/** The kinds of devices, of those that the options need, that this kernel has not and can't load. */
export function findMissingKinds(
  { datapath }: BridgeOptions,
  programs: ReadonlySet<string>,
  host: Host,
): readonly MissingKind[] {
  const loaded = host.readdir("/sys/module");
  const kinds: readonly DeviceKind[] = datapath === "vxlan" ? ["bridge", "vxlan"] : ["bridge"];
  return kinds
    .filter((kind) => !loaded.includes(kind))
    .flatMap((kind) => {
      const found = whyNotLoadable(kind, programs, host);
      return found === null ? [] : [{ kind, found }];
    });
}

/**
 * Why the kernel couldn't load a module of this kind when `ip link add` needs it; null if it could, or if nothing tells.
 * The kernel runs modprobe with the alias below (net/core/rtnetlink.c), so modprobe is asked, which then changes nothing.
 */
function whyNotLoadable(kind: DeviceKind, programs: ReadonlySet<string>, host: Host): string | null {
  if (host.readText("/proc/modules") === null) return "a kernel that loads no modules";
  if (host.readText("/proc/sys/kernel/modules_disabled") === "1") return "kernel.modules_disabled set to 1";
  // In a container, the machine's modprobe loads it.
  if (!programs.has("modprobe")) return null;
  const argv = ["modprobe", "--dry-run", "--verbose", `rtnl-link-${kind}`];
  const { status, stdout, stderr } = host.run(argv, { mayFail: true });
  const disabled = /^install (?:\/usr)?\/bin\/(?:false|true)\b.*/m.exec(stdout)?.[0];
  if (status === 0 && disabled === undefined) return null;
  return `that ${argv.join(" ")} printed: ${disabled ?? stderr.trim()}`;
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
