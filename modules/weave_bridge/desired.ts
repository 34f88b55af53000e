import { isIPv4 } from "node:net";
import { UserError } from "../core/errors";
import type { VxlanParameters } from "../formats/iproute";
import { addressOf, contains, inNumericOrder, isLoopback, networkOf } from "../net/ipv4";
import { isOwnHost, type OwnHost } from "../net/own_host";
import { derivedMac } from "../net/validators";
import type { ObservedBridge, Provider } from "./observed";
import { addressesOf, type BridgeOptions, VXLAN_SUFFIX } from "./options";
import { chooseProvider } from "./providers/detect";
import { rejectDuplicateVxlan, rejectOverlap, rejectTakenAddress, requireSubnetOfNetwork } from "./validate";

/** The bridge as it is to be configured, with all values resolved. */
export interface DesiredBridge {
  readonly name: string;
  /** With the network's prefix length, such as 10.2.0.1/16. */
  readonly address: string;
  /** The network of the whole cluster, such as 10.2.0.0/16. */
  readonly network: string;
  /** The subnet of this host's containers, such as 10.2.1.0/24. */
  readonly dockerSubnet: string;
  readonly mac: string;
  /** In bytes. */
  readonly mtu: number;
  /** Null if the Weave router carries the frames. */
  readonly vxlan: DesiredVxlan | null;
  readonly provider: Provider;
  /** Whether iptables is to accept the bridge's frames. */
  readonly firewall: boolean;
}

export interface DesiredVxlan extends VxlanParameters {
  readonly name: string;
  /** The other hosts' underlay addresses, in numeric order. */
  readonly peers: readonly string[];
}

/** Resolves the options on the observed host. Throws a UserError if they contradict one another or don't fit the host. */
export function resolveDesired(options: BridgeOptions, observed: ObservedBridge): DesiredBridge {
  const { name, datapath } = options;
  const { address, dockerSubnet } = addressesOf(options);
  const network = networkOf(address);
  requireSubnetOfNetwork(dockerSubnet, network);
  rejectOverlap(name, network, observed);
  rejectTakenAddress(address, observed);
  const mac = resolveMac(options, observed);
  const underlay = datapath === "vxlan" ? resolveUnderlay(options, observed) : null;
  const vxlan = underlay && {
    name: name + VXLAN_SUFFIX,
    id: options.vxlan_id,
    port: options.vxlan_port,
    local: underlay.address,
    peers: resolvePeers(options.peers, network, underlay.network, observed),
  };
  if (vxlan) rejectDuplicateVxlan(vxlan.name, vxlan, observed);
  return {
    name,
    address,
    network,
    dockerSubnet,
    mac,
    // Docker's own default. The Weave router finds out what its paths carry, and fragments.
    mtu: underlay?.mtu ?? options.mtu ?? ETHERNET_MTU,
    vxlan,
    provider: chooseProvider(options, observed.managers),
    firewall: options.firewall && observed.forwardRule !== null,
  };
}

function resolveMac({ name, mac }: BridgeOptions, { machineId }: ObservedBridge): string {
  if (mac !== null) return mac;
  if (machineId !== "") return derivedMac(`${machineId} ${name}`);
  throw new UserError(
    "mac: it can't be derived from the machine-id (/etc/machine-id is empty). Run systemd-machine-id-setup, or give mac.",
  );
}

/** This host's place on the network that connects the hosts. */
interface Underlay {
  readonly address: string;
  readonly network: string;
  /** Of what the VXLAN can carry over it, in bytes. */
  readonly mtu: number;
}

/** In bytes: outer IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14 (RFC 7348). */
const VXLAN_OVERHEAD = 50;

/** In bytes, the default of Linux's devices. */
const ETHERNET_MTU = 1500;

/** The underlay that is asked for, or else that of the default route. Throws a UserError if this host doesn't have it. */
function resolveUnderlay({ name, underlay, mtu }: BridgeOptions, observed: ObservedBridge): Underlay {
  const { links, mtus, routes, resolvedNames } = observed;
  const standard = routes.find(({ network }) => network === "0.0.0.0/0")?.device;
  const asked = underlay ?? standard;
  if (asked === undefined) {
    throw new UserError(
      "underlay: missing, and this host has no default route to take it from. Give the device or address by which the " +
        "peers reach this host.",
    );
  }
  const others = links.filter(({ device }) => device !== "lo" && device !== name);
  const all = others.flatMap(({ device, addresses }) => addresses.map((cidr) => ({ device, cidr })));
  const resolved = resolvedNames.get(asked) ?? [];
  // Debian maps a host's own name to a loopback address in /etc/hosts, which says no more than that it is this host.
  const isThisHost = resolved.length > 0 && resolved.every(isLoopback);
  const accepted = new Set([asked, ...resolved, ...(isThisHost && standard !== undefined ? [standard] : [])]);
  const found = all.find(({ device, cidr }) => accepted.has(device) || accepted.has(addressOf(cidr)));
  if (found === undefined) {
    const what = [`"${asked}"`, ...(resolved.length > 0 ? [`(${resolved.join(", ")})`] : [])].join(" ");
    const available = all.map(({ device, cidr }) => `${device} ${cidr}`);
    throw new UserError(
      `underlay: ${what} is not a device with an IPv4 address on this host, nor such an address (found: ` +
        `${available.join(", ") || "none"}). Give the device or address by which the peers reach this host.`,
    );
  }
  const largest = (mtus.get(found.device) ?? ETHERNET_MTU) - VXLAN_OVERHEAD;
  if (mtu !== null && mtu > largest) {
    throw new UserError(
      `mtu: ${mtu} is more than the VXLAN can carry over ${found.device}. Give ${largest} at most, or leave it out.`,
    );
  }
  return { address: addressOf(found.cidr), network: networkOf(found.cidr), mtu: mtu ?? largest };
}

/**
 * The addresses of the other hosts among `peers` (addresses and names), in numeric order. Throws a UserError for a peer
 * without an address outside the container network.
 */
function resolvePeers(
  peers: readonly string[],
  containers: string,
  underlay: string,
  observed: ObservedBridge,
): readonly string[] {
  const { hostName, links } = observed;
  const own = { hostName, addresses: links.flatMap(({ addresses }) => addresses.map(addressOf)) };
  const others = peers.flatMap((peer) => {
    const found = addressesOfPeer(peer, containers, own, observed);
    if (isOwnHost(peer, found, own)) return [];
    // A host on several networks has several addresses, which DNS returns in any order.
    const near = found.filter((address) => contains(underlay, address));
    return inNumericOrder(near.length > 0 ? near : found).slice(0, 1);
  });
  return inNumericOrder(others);
}

/** A peer's addresses outside the container network; none if its name alone shows that it is this host. */
function addressesOfPeer(
  peer: string,
  containers: string,
  own: OwnHost,
  { resolvedNames }: ObservedBridge,
): readonly string[] {
  const all = isIPv4(peer) ? [peer] : (resolvedNames.get(peer) ?? []);
  const reachable = all.filter((address) => !isLoopback(address));
  if (reachable.length === 0) {
    if (isOwnHost(peer, [], own)) return [];
    const what =
      all.length === 0
        ? "does not resolve to an IPv4 address on this host"
        : `resolves to this host (${own.hostName}) itself (${all.join(", ")})`;
    throw new UserError(
      `peers: "${peer}" ${what}. Give its address in the inventory (weave_underlay_address or ansible_host), or an entry ` +
        "in DNS or in this host's /etc/hosts.",
    );
  }
  const found = reachable.filter((address) => !contains(containers, address));
  if (found.length === 0) {
    const what = isIPv4(peer) ? peer : `"${peer}" (${reachable.join(", ")})`;
    throw new UserError(
      `peers: ${what} is inside the container network ${containers}. Give the host's address on the underlay.`,
    );
  }
  return found;
}
