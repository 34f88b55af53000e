import { isIPv4 } from "node:net";
import { UserError } from "../core/errors";
import type { IpLink } from "../formats/iproute";
import { addressOf, contains, inNumericOrder, isUnicast, networkOf, reservedAs } from "../net/ipv4";
import { isOwnName } from "../net/own_host";
import type { ObservedBridge } from "./observed";

/**
 * The addresses of the other hosts among `peers` (addresses and names), in numeric order. The two networks are written as CIDR.
 * Throws a UserError for a peer without an address outside the container network.
 */
export function resolvePeers(
  peers: readonly string[],
  containerNetwork: string,
  underlayNetwork: string,
  observed: ObservedBridge,
): readonly string[] {
  const { hostName, links } = observed;
  const isShared = ({ device, addresses }: IpLink): boolean =>
    CONTAINERS_DEVICE.test(device) && !addresses.some((cidr) => networkOf(cidr) === underlayNetwork);
  const ofContainers = links.filter(isShared).flatMap(({ addresses }) => addresses.map(addressOf));
  const own = links.flatMap(({ addresses }) => addresses.map(addressOf)).filter((each) => !ofContainers.includes(each));
  const isOwn = (address: string): boolean => own.includes(address);
  const others = peers.flatMap((peer) => {
    const found = addressesOfPeer(peer, containerNetwork, observed);
    // A host on several networks has several addresses, which DNS returns in any order.
    const inUnderlay = found.filter((address) => contains(underlayNetwork, address));
    const candidates = inUnderlay.length > 0 ? inUnderlay : found;
    if (candidates.every(isOwn) || (isOwnName(peer, hostName) && found.some(isOwn))) return [];
    // Another host may have an address that this one has too, such as docker0's, or one that moves from host to host (VRRP).
    const [address] = inNumericOrder(candidates.filter((each) => !isOwn(each) && !ofContainers.includes(each)));
    if (address !== undefined) return [address];
    throw new UserError(
      `peers: a peer's address must be another host's (found ${candidates.join(", ")}, which this host has for its own containers or ` +
        "virtual machines). Set the host's address on the underlay.",
    );
  });
  for (const address of others) rejectNetworkAddress("peers: a peer's address", address, observed);
  return inNumericOrder(others);
}

/** The bridges of Docker, libvirt, LXC and Podman. Many hosts have the same addresses on them. */
const CONTAINERS_DEVICE = /^(docker(0|_gwbridge)|br-[\da-f]{12}|(virbr|lxcbr|lxdbr|cni|podman)\d+)$/;

/** Throws a UserError, about `what`, for an address that no host has in one of this host's networks. */
export function rejectNetworkAddress(what: string, address: string, { links }: ObservedBridge): void {
  for (const cidr of links.flatMap(({ addresses }) => addresses)) {
    const role = reservedAs(address, cidr);
    if (role === null) continue;
    throw new UserError(
      `${what} must be one that a host can have (found ${address}, the ${role} address of this host's network ` +
        `${cidr}). Set the host's address on the underlay.`,
    );
  }
}

/** A peer's addresses outside the container network; none if its name itself shows that it is this host. */
function addressesOfPeer(
  peer: string,
  containerNetwork: string,
  { hostName, resolvedNames }: ObservedBridge,
): readonly string[] {
  const all = isIPv4(peer) ? [peer] : (resolvedNames.get(peer) ?? []);
  const reachable = all.filter(isUnicast);
  if (reachable.length === 0) {
    if (isOwnName(peer, hostName)) return [];
    throw new UserError(
      `peers: a peer's name must resolve to another host's IPv4 address on this host, ${hostName} (found ` +
        `${all.join(", ") || "none"} for "${peer}"). Set its address, or add the name to DNS or to this host's /etc/hosts.`,
    );
  }
  const found = reachable.filter((address) => !contains(containerNetwork, address));
  if (found.length === 0) {
    const what = isIPv4(peer) ? peer : `${reachable.join(", ")} for "${peer}"`;
    throw new UserError(
      `peers: a peer's address must be outside the container network ${containerNetwork} (found ${what}). Set the host's ` +
        "address on the underlay.",
    );
  }
  return found;
}
