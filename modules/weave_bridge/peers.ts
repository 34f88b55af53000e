import { UserError } from "../core/errors";
import { addressOf, contains, inNumericOrder, isIpv4, isLoopback } from "../net/ipv4";
import { isOwnName } from "../net/validators";
import type { ObservedBridge } from "./observe";

/**
 * Takes peers, each an address or a name, the container network and the network that the underlay is in. Returns the
 * addresses of the other hosts, in numeric order. Throws a UserError for one without an address that this host can reach.
 */
export function peerAddresses(
  peers: readonly string[],
  containers: string,
  underlay: string,
  observed: ObservedBridge,
): readonly string[] {
  const own = new Set(observed.links.flatMap(({ addresses }) => addresses.map(addressOf)));
  const others = peers.flatMap((peer) => {
    const found = outside(peer, containers, observed);
    if (found.some((address) => own.has(address))) return [];
    // A host on several networks has several addresses, which DNS gives in any order.
    const near = found.filter((address) => contains(underlay, address));
    return inNumericOrder(near.length > 0 ? near : found).slice(0, 1);
  });
  return inNumericOrder(others);
}

/** A peer's addresses outside the container network; none where its name alone says that it is this host. */
function outside(peer: string, containers: string, { lookedUp, hostName }: ObservedBridge): readonly string[] {
  const all = isIpv4(peer) ? [peer] : (lookedUp.get(peer) ?? []);
  const reachable = all.filter((address) => !isLoopback(address));
  if (reachable.length === 0) {
    if (isOwnName(peer, hostName)) return [];
    const what = all.length === 0 ? "no IPv4 address" : `${all.join(", ")}, as if it were this host (${hostName}),`;
    throw new UserError(
      `peers: "${peer}" resolves to ${what} on this host; give its address in the inventory (weave_underlay_address or ` +
        "ansible_host), or an entry in DNS or in this host's /etc/hosts",
    );
  }
  const found = reachable.filter((address) => !contains(containers, address));
  if (found.length === 0) {
    const what = isIpv4(peer) ? peer : `"${peer}" (${reachable.join(", ")})`;
    throw new UserError(
      `peers: ${what} lies in the container network ${containers}; give the host's address on the underlay`,
    );
  }
  return found;
}
