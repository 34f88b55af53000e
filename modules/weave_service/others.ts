import { isOwnName } from "../net/validators";
import type { ObservedService } from "./observed";

/**
 * Takes the hosts of a cluster, each an address or a name; returns them without this one, so that one list serves all.
 * A name is this host's if it is the kernel's host name, or, alone among all, that with or without a domain: of several
 * hosts that differ only in their domains none is left out here, and the router itself tells which it is.
 */
export function othersOf(
  peers: readonly string[],
  { ownAddresses, hostName }: Pick<ObservedService, "ownAddresses" | "hostName">,
): readonly string[] {
  const others = peers.filter((peer) => !ownAddresses.includes(peer));
  const lowerCase = (peer: string): string => peer.toLowerCase();
  const alike = new Set(others.filter((peer) => isOwnName(peer, hostName)).map(lowerCase));
  const own = alike.size === 1 ? [...alike][0] : hostName.toLowerCase();
  return others.filter((peer) => lowerCase(peer) !== own);
}
