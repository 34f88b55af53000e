import { UserError } from "../core/errors";
import { addressOf, isLoopback, networkOf } from "../net/ipv4";
import type { ObservedBridge } from "./observe";
import type { BridgeOptions } from "./options";

/** What this host reaches its peers by. */
export interface Underlay {
  readonly address: string;
  readonly network: string;
  /** Of what the VXLAN carries over it, in bytes. */
  readonly mtu: number;
}

/** The bytes that VXLAN puts before a frame's payload: outer IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14 (RFC 7348). */
const VXLAN_OVERHEAD = 50;

/** In bytes, what a device has that nobody has given another. */
export const ETHERNET_MTU = 1500;

/** The underlay that is asked for, or else that of the default route. Throws a UserError where this host has no such. */
export function underlayOf({ name, underlay, mtu }: BridgeOptions, observed: ObservedBridge): Underlay {
  const { links, mtus, routes, lookedUp } = observed;
  const standard = routes.find(({ network }) => network === "0.0.0.0/0")?.device;
  const wanted = underlay ?? standard;
  if (wanted === undefined) {
    throw new UserError(
      "underlay: not given, and this host has no default route to tell by; give the device or address that its peers reach",
    );
  }
  const others = links.filter(({ device }) => device !== "lo" && device !== name);
  const all = others.flatMap(({ device, addresses }) => addresses.map((cidr) => ({ device, cidr })));
  const resolved = lookedUp.get(wanted) ?? [];
  // Debian gives a host's own name an address of the loopback, which tells no more than that it is this host.
  const isThisHost = resolved.length > 0 && resolved.every(isLoopback);
  const names = new Set([wanted, ...resolved, ...(isThisHost && standard !== undefined ? [standard] : [])]);
  const found = all.find(({ device, cidr }) => names.has(device) || names.has(addressOf(cidr)));
  if (found === undefined) {
    const what = [`"${wanted}"`, ...(resolved.length > 0 ? [`(${resolved.join(", ")})`] : [])].join(" ");
    const there = all.map(({ device, cidr }) => `${device} ${cidr}`);
    throw new UserError(
      `underlay: ${what} is no IPv4 address of this host and no device with one; it has ${there.join(", ") || "none"}. ` +
        "Give the device or address that its peers reach",
    );
  }
  const largest = (mtus.get(found.device) ?? ETHERNET_MTU) - VXLAN_OVERHEAD;
  if (mtu !== null && mtu > largest) {
    throw new UserError(
      `mtu: ${mtu} is more than the VXLAN can carry over ${found.device}; give ${largest} at most, or leave it out`,
    );
  }
  return { address: addressOf(found.cidr), network: networkOf(found.cidr), mtu: mtu ?? largest };
}
