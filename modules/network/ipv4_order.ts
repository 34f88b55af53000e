import { ip2long } from "netmask";

/** Takes IPv4 addresses; returns each once, in numeric order, so that no inventory's order shows in what is made of them. */
export function inNumericOrder(addresses: readonly string[]): string[] {
  return [...new Set(addresses)].sort((a, b) => ip2long(a) - ip2long(b));
}
