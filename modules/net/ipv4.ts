import { Netmask } from "netmask";
import { ip2long } from "../../node_modules/netmask/dist/netmask";
import { UserError } from "../core/errors";

// The library also reads forms that no operator means, such as "10.2" or octal "010"; only dotted quads reach it.
const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ADDRESS = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const CIDR = new RegExp(`^(${OCTET}(?:\\.${OCTET}){3})/(3[0-2]|[12]?\\d)$`);

/** Whether the text is an IPv4 address such as 192.168.50.11. */
export function isIpv4(text: string): boolean {
  return ADDRESS.test(text);
}

/** Takes an IPv4 address such as 192.168.50.11 and returns it; throws a UserError for anything else. */
export function ipv4(text: string): string {
  if (!isIpv4(text)) throw new UserError(`"${text}" is not an IPv4 address; write it as 192.168.50.11`);
  return text;
}

/** Takes the IPv4 address of a single host and returns it; throws a UserError for any that only a group, everybody or the host itself has. */
export function hostAddress(text: string): string {
  refuseUnusable(ipv4(text));
  return text;
}

/** Whether an address is one of the loopback's (127.0.0.0/8), by which each host has itself. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.");
}

/** Addresses that no host has on a network (RFC 6890): "this network", loopback, groups, reserved and broadcast. */
function refuseUnusable(text: string): void {
  const first = Number(text.replace(/\..*/, ""));
  if (first === 0 || first === 127 || first >= 224) {
    throw new UserError(`"${text}" is no address that a host has on a network; write one such as 192.168.50.11`);
  }
}

/** Takes an interface's address with its network's prefix length, such as 10.2.0.1/16, and returns it; throws a UserError else. */
export function ipv4Interface(text: string): string {
  const [, address] = CIDR.exec(text) ?? [];
  if (address === undefined) {
    throw new UserError(`"${text}" is not an IPv4 address with its prefix length; write it as 10.2.0.1/16`);
  }
  refuseUnusable(address);
  const network = new Netmask(text);
  if (network.bitmask > 30) {
    throw new UserError(
      `"${text}" leaves no room for containers; write it with its network's prefix length, as 10.2.0.1/16`,
    );
  }
  if (address === network.base || address === network.broadcast) {
    throw new UserError(`"${text}" is the first or last address of ${network}, which no interface may have`);
  }
  return text;
}

/** Takes an IPv4 network such as 10.2.0.0/16 and returns it; throws a UserError else, also where host bits are set. */
export function ipv4Network(text: string): string {
  const [, address] = CIDR.exec(text) ?? [];
  if (address === undefined) throw new UserError(`"${text}" is not an IPv4 network; write it as 10.2.0.0/16`);
  refuseUnusable(address);
  const network = new Netmask(text);
  if (network.base !== address)
    throw new UserError(`"${text}" is not a network's first address; did you mean ${network}?`);
  return text;
}

/** Takes an interface's address such as 10.2.0.1/16; returns its address (10.2.0.1). */
export function addressOf(cidr: string): string {
  return cidr.replace(/\/.*/, "");
}

/** Takes an interface's address such as 10.2.0.1/16; returns the network that it is in (10.2.0.0/16). */
export function networkOf(cidr: string): string {
  return new Netmask(cidr).toString();
}

/** Whether the network `outer` holds all of `inner`, a network or an address. */
export function contains(outer: string, inner: string): boolean {
  return new Netmask(outer).contains(inner);
}

/** Takes IPv4 addresses; returns each once, in numeric order, so that no inventory's order shows in what is made of them. */
export function inNumericOrder(addresses: readonly string[]): string[] {
  return [...new Set(addresses)].sort((a, b) => ip2long(a) - ip2long(b));
}
