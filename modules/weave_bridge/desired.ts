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
    // With the Weave router 1500 as in Docker: the router finds the MTU of each path and fragments larger packets.
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
    "mac: must be set on a host without a machine-id (found none in /etc/machine-id). Run systemd-machine-id-setup, or set mac.",
  );
}

/** How this host is connected to the other hosts. */
interface Underlay {
  readonly address: string;
  readonly network: string;
  /** The MTU of a bridge whose VXLAN uses this network, in bytes. */
  readonly mtu: number;
}

/** What a VXLAN adds to each packet, in bytes: outer IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14 (RFC 7348). */
const VXLAN_OVERHEAD = 50;

/** In bytes, the default of Linux's devices. */
const ETHERNET_MTU = 1500;

/** The underlay that the option names, or that of the default route. Throws a UserError if this host doesn't have it. */
function resolveUnderlay({ name, underlay, mtu }: BridgeOptions, observed: ObservedBridge): Underlay {
  const { links, mtus, routes, resolvedNames } = observed;
  const defaultDevice = routes.find(({ network }) => network === "0.0.0.0/0")?.device;
  const deviceOrAddress = underlay ?? defaultDevice;
  if (deviceOrAddress === undefined) {
    throw new UserError(
      "underlay: must be set on a host without a default route (found none). Set the device or address by which the peers " +
        "reach this host.",
    );
  }
  const others = links.filter(({ device }) => device !== "lo" && device !== name);
  const all = others.flatMap(({ device, addresses }) => addresses.map((cidr) => ({ device, cidr })));
  const resolved = resolvedNames.get(deviceOrAddress) ?? [];
  // In Debian's /etc/hosts a host's own name has a loopback address, which does not say what connects it to the others.
  const isThisHost = resolved.length > 0 && resolved.every(isLoopback);
  const accepted = new Set([
    deviceOrAddress,
    ...resolved,
    ...(isThisHost && defaultDevice !== undefined ? [defaultDevice] : []),
  ]);
  const found = all.find(({ device, cidr }) => accepted.has(device) || accepted.has(addressOf(cidr)));
  if (found === undefined) {
    const what = [`"${deviceOrAddress}"`, ...(resolved.length > 0 ? [`at ${resolved.join(", ")}`] : [])].join(" ");
    const available = all.map(({ device, cidr }) => `${device} ${cidr}`);
    throw new UserError(
      `underlay: must be a device with an IPv4 address on this host, or such an address (found ${what}; this host has ` +
        `${available.join(", ") || "none"}). Set the device or address by which the peers reach this host.`,
    );
  }
  const largest = (mtus.get(found.device) ?? ETHERNET_MTU) - VXLAN_OVERHEAD;
  if (mtu !== null && mtu > largest) {
    throw new UserError(
      `mtu: must be ${largest} at most for a VXLAN over ${found.device} (found ${mtu}). Set ${largest} or less, or remove it.`,
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
    const inUnderlay = found.filter((address) => contains(underlay, address));
    return inNumericOrder(inUnderlay.length > 0 ? inUnderlay : found).slice(0, 1);
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
    throw new UserError(
      `peers: a peer's name must resolve to another host's IPv4 address on this host, ${own.hostName} (found ` +
        `${all.join(", ") || "none"} for "${peer}"). Set its address, or add the name to DNS or to this host's /etc/hosts.`,
    );
  }
  const found = reachable.filter((address) => !contains(containers, address));
  if (found.length === 0) {
    const what = isIPv4(peer) ? peer : `${reachable.join(", ")} for "${peer}"`;
    throw new UserError(
      `peers: a peer's address must be outside the container network ${containers} (found ${what}). Set the host's address on ` +
        "the underlay.",
    );
  }
  return found;
}
