/** An IPv4 address of an interface. */
export interface InterfaceAddress {
  readonly device: string;
  /** With its network's prefix length, such as 10.2.0.1/16. */
  readonly cidr: string;
}

/** Reads the output of `ip -o -4 addr show`: a line an address. */
export function parseAddresses(output: string): InterfaceAddress[] {
  return [...output.matchAll(/^\d+:\s+(\S+)\s+inet\s+(\S+)/gm)].map(([, device = "", address = ""]) => ({
    device,
    // A host address is printed without its length, and a point-to-point one with its peer's ("10.0.0.1 peer …").
    cidr: address.includes("/") ? address : `${address}/32`,
  }));
}

/** What a VXLAN device was made with. */
export interface VxlanParameters {
  /** The VXLAN network identifier. */
  readonly id: number;
  /** The UDP port. */
  readonly port: number;
  /** This host's address on the underlay. */
  readonly local: string;
  /** The device that carries the tunnels. */
  readonly underlay: string;
}

/** Reads the output of `ip -d -o link show dev DEVICE`; null where the device is no VXLAN. */
export function parseVxlan(output: string): VxlanParameters | null {
  const [, id, rest = ""] = /\svxlan id (\d+) ([^\\]*)/.exec(output) ?? [];
  if (id === undefined) return null;
  const value = (key: string): string => new RegExp(`(?:^|\\s)${key} (\\S+)`).exec(rest)?.[1] ?? "";
  return { id: Number(id), port: Number(value("dstport")), local: value("local"), underlay: value("dev") };
}

/** The destination of a frame for all, or for an address not yet learnt, in a VXLAN device's forwarding table. */
export const FLOOD_MAC = "00:00:00:00:00:00";

/** Reads the output of `bridge fdb show dev DEVICE`: the peers that frames for all are sent to. */
export function parseFloodPeers(output: string): string[] {
  return [...output.matchAll(/^00:00:00:00:00:00 dst (\S+)/gm)].map(([, peer = ""]) => peer);
}
