/** An IPv4 address of an interface. */
export interface InterfaceAddress {
  readonly device: string;
  /** With its network's prefix length, such as 10.2.0.1/16. */
  readonly cidr: string;
}

/** A network device, as `ip -d addr show` prints it. */
export interface IpLink {
  readonly device: string;
  /** Its other names, which no second device can have. */
  readonly aliases: readonly string[];
  /** The device that it is part of, such as that of a VLAN; null if it is part of none. */
  readonly parent: string | null;
  /** The bridge that it is a port of. */
  readonly master: string | null;
  readonly up: boolean;
  /** Its MAC address; "" without one. */
  readonly mac: string;
  /** Its IPv4 addresses with prefix length, the primary ones first. */
  readonly addresses: readonly string[];
  /** Null if it is not a VXLAN. */
  readonly vxlan: VxlanDevice | null;
}

/** Parses the output of `ip -d addr show`: all devices, their kinds and addresses, by one command. */
export function parseLinks(output: string): IpLink[] {
  return output.split(/^(?=\d+: )/m).flatMap((text) => {
    const [, device, parent = null, flags = ""] = /^\d+: ([^:@\s]+)(?:@([^:\s]+))?:\s*<([^>]*)>/.exec(text) ?? [];
    if (device === undefined) return [];
    const addresses = [...text.matchAll(/^\s+inet (\S+)/gm)].map(([, address = ""]) => withLength(address));
    return [
      {
        device,
        aliases: [...text.matchAll(/^\s+altname (\S+)/gm)].map(([, alias = ""]) => alias),
        parent,
        master: /^.*\smaster (\S+)/.exec(text)?.[1] ?? null,
        up: flags.split(",").includes("UP"),
        mac: /^\s+link\/ether (\S+)/m.exec(text)?.[1] ?? "",
        addresses,
        vxlan: parseVxlan(text),
      },
    ];
  });
}

/** Parses the output of `ip -o -4 addr show`, which has one address per line. */
export function parseAddresses(output: string): InterfaceAddress[] {
  return [...output.matchAll(/^\d+:\s+(\S+)\s+inet\s+(\S+)/gm)].map(([, device = "", address = ""]) => ({
    device,
    cidr: withLength(address),
  }));
}

/** ip prints a /32 without its prefix length, and a point-to-point address with the peer's address ("10.0.0.1 peer …"). */
export function withLength(address: string): string {
  return address.includes("/") ? address : `${address}/32`;
}

/** The parameters of a VXLAN device. */
export interface VxlanParameters {
  /** The VXLAN network identifier. */
  readonly id: number;
  /** The UDP port. */
  readonly port: number;
  /** This host's address on the underlay. */
  readonly local: string;
  /** The device that its link-local address is on. */
  readonly device?: string;
}

/** A VXLAN device, with what else decides whether a second one can receive on the same UDP port. */
export interface VxlanDevice extends VxlanParameters {
  /** What it was created with of RECEIVE_FLAGS. Only devices with the same ones share a port. */
  readonly flags: readonly string[];
  /** Whether it receives over IPv6 only. */
  readonly ipv6: boolean;
}

/** VXLAN_F_RCV_FLAGS of include/net/vxlan.h, as ip prints them; newer ones print names with underscores (ip/iplink_vxlan.c). */
const RECEIVE_FLAGS = [
  ...["external", "vnifilter", "gbp", "gpe", "udp6zerocsumrx", "remcsumrx", "localbind"],
  ...["udp_zero_csum6_rx", "remcsum_rx"],
];

/** Parses `ip -d link show dev DEVICE`; null if the device is not a VXLAN. */
export function parseVxlan(output: string): VxlanDevice | null {
  const [, first = "", id, rest = ""] = /\svxlan ((?:external |vnifilter )*)id (\d+) ([^\\\n]*)/.exec(output) ?? [];
  if (id === undefined) return null;
  const value = (key: string): string => new RegExp(`(?:^|\\s)${key} (\\S+)`).exec(rest)?.[1] ?? "";
  const words = new Set(`${first}${rest}`.split(/\s+/));
  const flags = RECEIVE_FLAGS.filter((flag) => words.has(flag));
  return {
    id: Number(id),
    port: Number(value("dstport")),
    local: value("local"),
    // Which device carries a link-local address decides where it is; for another address the routes do.
    ...(value("local").startsWith("fe80:") && { device: value("dev") }),
    flags,
    ipv6: !words.has("external") && ["local", "remote", "group"].some((key) => value(key).includes(":")),
  };
}

/** In a VXLAN device's forwarding table, the entry for broadcasts and for addresses that are not learned yet. */
export const FLOOD_MAC = "00:00:00:00:00:00";

/**
 * Parses `bridge fdb show dev DEVICE`: the peers that broadcasts are sent to, each an address with what the entry has besides, such
 * as `ADDRESS via DEVICE`. The kernel keeps several entries for one address that differ in their port or network identifier.
 */
export function parseFloodPeers(output: string): string[] {
  return [...output.matchAll(/^00:00:00:00:00:00 dst (\S+(?: (?:port|vni|src_vni|via) \S+)*)/gm)].map(
    ([, peer = ""]) => peer,
  );
}
