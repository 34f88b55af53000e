import { isIPv4 } from "node:net";
// IPv4 alone: the package itself would bring IPv6 into each bundle.
import { ip2long, Netmask4Impl as Netmask } from "netmask/dist/netmask4";
import { UserError } from "../core/errors";

/** Returns an IPv4 address as it is. Throws a UserError for anything else. */
export function ipv4(text: string): string {
  if (!isIPv4(text)) throw new UserError(`must be an IPv4 address (found "${text}"). Write it as 192.168.50.11.`);
  return text;
}

/** Returns the IPv4 address of a host on a network as it is. Throws a UserError for anything else, such as 127.0.0.1 or 224.0.0.1. */
export function hostAddress(text: string): string {
  requireUnicast(ipv4(text));
  return text;
}

/** Whether an address is in 127.0.0.0/8. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.");
}

/** Whether a host can have an address on a network (RFC 6890): not "this network", loopback, multicast, reserved, broadcast. */
export function isUnicast(address: string): boolean {
  const first = Number(address.replace(/\..*/, ""));
  return first > 0 && first < 224 && !isLoopback(address);
}

function requireUnicast(text: string): void {
  if (!isUnicast(text)) {
    throw new UserError(`must be an address of a host on a network (found "${text}"). Set one such as 192.168.50.11.`);
  }
}

/** Returns an interface's address with its network's prefix length, such as 10.2.0.1/16, as it is. Throws a UserError for anything else. */
export function ipv4Interface(text: string): string {
  const address = addressWithPrefix(text);
  if (address === null) {
    throw new UserError(`must be an IPv4 address with a prefix length (found "${text}"). Write it as 10.2.0.1/16.`);
  }
  requireUnicast(address);
  const network = new Netmask(text);
  if (network.bitmask > LONGEST_PREFIX) {
    throw new UserError(
      `must have room for containers in its network (found "${text}"). Set its network's prefix length, as in 10.2.0.1/16.`,
    );
  }
  if (address === network.base || address === network.broadcast) {
    throw new UserError(
      `must not be the first or last address of its network (found "${text}"). Set another address of ${network}.`,
    );
  }
  return text;
}

/** Returns an IPv4 network such as 10.2.0.0/16 as it is. Throws a UserError for anything else, also if host bits are set. */
export function ipv4Network(text: string): string {
  const address = addressWithPrefix(text);
  if (address === null) throw new UserError(`must be an IPv4 network (found "${text}"). Write it as 10.2.0.0/16.`);
  requireUnicast(address);
  const network = new Netmask(text);
  if (network.base !== address)
    throw new UserError(`must begin with the network's first address (found "${text}"). Set ${network}.`);
  return text;
}

/** Returns a network that has room for containers as it is. Throws a UserError for anything else. */
export function containerSubnet(text: string): string {
  const network = ipv4Network(text);
  if (prefixLength(network) > LONGEST_PREFIX)
    throw new UserError(
      `must have room for containers (found "${text}"). Set a prefix length of ${LONGEST_PREFIX} at most.`,
    );
  return network;
}

/** The longest prefix length of a network that has addresses for hosts besides its first and last one. */
const LONGEST_PREFIX = 30;

/** Whether two networks have addresses in common. */
export function overlap(one: string, other: string): boolean {
  return contains(one, addressOf(other)) || contains(other, addressOf(one));
}

/** The prefix length (16) of a network or of an address with one (10.2.0.1/16). */
export function prefixLength(cidr: string): number {
  return Number(cidr.replace(/.*\//, ""));
}

/** Which address of a network, given as an address with a prefix length, no host has: null if a host can have it. */
export function reservedAs(address: string, cidr: string): "network" | "broadcast" | null {
  if (prefixLength(cidr) > LONGEST_PREFIX) return null;
  const { base, broadcast } = new Netmask(cidr);
  if (address === base) return "network";
  return address === broadcast ? "broadcast" : null;
}

/** The address of a text such as 10.2.0.1/16, or null. netmask alone would also accept 10.2 or the octal 010.2.0.1. */
function addressWithPrefix(text: string): string | null {
  const [, address = ""] = /^([^/]*)\/(3[0-2]|[12]?\d)$/.exec(text) ?? [];
  return isIPv4(address) ? address : null;
}

/** The address (10.2.0.1) in an address with a prefix length (10.2.0.1/16). */
export function addressOf(cidr: string): string {
  return cidr.replace(/\/.*/, "");
}

/** The network (10.2.0.0/16) of an address with a prefix length (10.2.0.1/16). */
export function networkOf(cidr: string): string {
  return new Netmask(cidr).toString();
}

/** Whether the network `outer` contains all of `inner`, a network or an address. */
export function contains(outer: string, inner: string): boolean {
  return new Netmask(outer).contains(inner);
}

/** IPv4 addresses in numeric order, each once, so that what is made of them does not depend on the inventory's order. */
export function inNumericOrder(addresses: readonly string[]): string[] {
  return [...new Set(addresses)].sort((a, b) => ip2long(a) - ip2long(b));
}
