import { isIPv4 } from "node:net";
import { orNull, UserError } from "../core/errors";
import { MAIN_TABLE, type Route } from "../formats/routes";
import { addressOf, contains, isLoopback, networkOf, prefixLength } from "../net/ipv4";
import type { ObservedBridge } from "./observed";
import { type BridgeOptions, hasWireguard } from "./options";
import { mtuIn, ownTextIn } from "./own_files";

/** How this host is connected to the other hosts. */
export interface Underlay {
  readonly device: string;
  readonly address: string;
  readonly network: string;
  /** The MTU of a WireGuard device that uses this network, in bytes. */
  readonly wireguardMtu: number;
  /** The MTU of a bridge whose VXLAN uses this network, in bytes. */
  readonly mtu: number;
}

/**
 * What the Weave router's sleeve, its transport in user space, adds to each packet, in bytes: outer IPv4 20, UDP 8, a name 6, two
 * names and a length 14, inner Ethernet 14; encrypted, a nonce 8 and a seal 16 more (weaveworks/weave, router/sleeve.go and crypto.go).
 * Over 1500 the router reports 1438, encrypted 1414.
 */
const SLEEVE_OVERHEAD = 62;
const SLEEVE_ENCRYPTION = 24;

/** What a VXLAN adds to each packet, in bytes: outer IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14 (RFC 7348). */
export const VXLAN_OVERHEAD = 50;

/** The same over IPv6, whose header has 40 bytes. */
export const VXLAN_OVER_IPV6_OVERHEAD = 70;

/** What WireGuard adds over IPv4, in bytes: IPv4 20, UDP 8, its header 16 and its tag 16. It pads no packet beyond its MTU. */
export const WIREGUARD_OVERHEAD = 60;

/** In bytes, the least for a device with IPv6 (RFC 8200). */
const IPV6_LEAST_MTU = 1280;

/** In bytes, the default of Linux's devices. */
const ETHERNET_MTU = 1500;

type UnderlayOptions = Pick<BridgeOptions, "name" | "underlay" | "peers">;

interface DeviceAddress {
  readonly device: string;
  readonly cidr: string;
}

/** The underlay that the option names, or that of the default route. Throws a UserError if this host doesn't have it. */
export function resolveUnderlay(options: BridgeOptions, observed: ObservedBridge): Underlay {
  const { mtu } = options;
  const found = findUnderlay(options, observed);
  const deviceMtu = observed.mtus.get(found.device) ?? ETHERNET_MTU;
  const wireguardMtu = deviceMtu - WIREGUARD_OVERHEAD;
  const encrypted = hasWireguard(options);
  if (encrypted && wireguardMtu < IPV6_LEAST_MTU) {
    throw new UserError(
      `underlay: must have an MTU of ${IPV6_LEAST_MTU + WIREGUARD_OVERHEAD} or more with a password (found ${deviceMtu} on ` +
        `${found.device}). Raise it, or set another underlay.`,
    );
  }
  const largest = encrypted ? wireguardMtu - VXLAN_OVER_IPV6_OVERHEAD : deviceMtu - VXLAN_OVERHEAD;
  if (mtu !== null && mtu > largest) {
    throw new UserError(
      `mtu: must be ${largest} at most for ${encrypted ? "an encrypted" : "a"} VXLAN over ${found.device} (found ${mtu}). Set ` +
        `${largest} or less, or remove it.`,
    );
  }
  return {
    device: found.device,
    address: addressOf(found.cidr),
    network: networkOf(found.cidr),
    wireguardMtu,
    mtu: mtu ?? largest,
  };
}

/**
 * The MTU of a bridge that the Weave router is attached to, in bytes. A bridge with containers that had the underlay's own MTU before,
 * such as Apollo's, keeps it: the router fragments what is larger than its own, and Docker would have to restart to announce another.
 */
export function routerMtu(options: BridgeOptions, observed: ObservedBridge): number {
  if (options.mtu !== null) return options.mtu;
  const underlay = underlayMtu(options, observed);
  if (previousMtu(observed) === underlay) return underlay;
  return underlay - SLEEVE_OVERHEAD - (options.router_encrypts ? SLEEVE_ENCRYPTION : 0);
}

function underlayMtu(options: BridgeOptions, observed: ObservedBridge): number {
  return observed.mtus.get(findLocalEndpoint(options, observed).device) ?? ETHERNET_MTU;
}

/**
 * The device and address from which this host sends to the first of these peers, or else those of the underlay. If neither
 * is found they are "" and 0.0.0.0: the router resolves its peers' names itself and may still reach them.
 */
export function findLocalEndpoint(
  options: UnderlayOptions,
  observed: ObservedBridge,
  peers: readonly string[] = [],
): { device: string; address: string } {
  const { all, routes } = ownAddresses(options, observed);
  const [toPeers] = addressesToward(peers, all, routes);
  const found = toPeers ?? orNull(() => findUnderlay({ ...options, peers: options.peers.filter(isIPv4) }, observed));
  return { device: found?.device ?? "", address: addressOf(found?.cidr ?? "0.0.0.0") };
}

/** The MTU in this module's files; without such a file, that of a bridge with ports. */
function previousMtu({ files, bridge }: ObservedBridge): number | null {
  const text = ownTextIn(files);
  if (text !== null) return mtuIn(text) ?? null;
  return bridge !== null && bridge.ports.length > 0 ? bridge.mtu : null;
}

/** This host's addresses except the bridge's, and its routes. */
function ownAddresses({ name }: UnderlayOptions, observed: ObservedBridge) {
  const others = observed.links.filter(({ device }) => device !== name);
  return {
    all: others
      .flatMap(({ device, addresses }) => addresses.map((cidr): DeviceAddress => ({ device, cidr })))
      .filter(({ cidr }) => !isLoopback(cidr)),
    routes: observed.routes.filter(({ table, type }) => table === MAIN_TABLE && type === "unicast"),
  };
}

function findUnderlay(options: UnderlayOptions, observed: ObservedBridge): DeviceAddress {
  const { underlay, peers } = options;
  const { resolvedNames } = observed;
  const { all, routes } = ownAddresses(options, observed);
  const defaultDevice = routes.find(({ network }) => network === "0.0.0.0/0")?.device ?? undefined;
  const deviceOrAddress = underlay ?? defaultDevice;
  if (deviceOrAddress === undefined) {
    throw new UserError(
      "underlay: must be set on a host without a default route (found no default route). Set the device or address by which the peers " +
        "reach this host.",
    );
  }
  const resolved = resolvedNames.get(deviceOrAddress) ?? [];
  // In Debian's /etc/hosts a host's own name has a loopback address, which does not say what connects it to the others.
  const isThisHost = resolved.length > 0 && resolved.every(isLoopback);
  const accepted = new Set([
    deviceOrAddress,
    ...resolved,
    ...(isThisHost && defaultDevice !== undefined ? [defaultDevice] : []),
  ]);
  const withAddress = all.filter(({ device, cidr }) => accepted.has(device) || accepted.has(addressOf(cidr)));
  const leaving = routes.filter(({ device }) => device !== null && accepted.has(device));
  const matches = withAddress.length > 0 ? withAddress : addressesForRoutes(leaving, all);
  const destinations = [...peers.flatMap((peer) => resolvedNames.get(peer) ?? peer), "0.0.0.0"];
  const found = ownAddress(matches, destinations, routes);
  if (found === undefined) {
    const what = [`"${deviceOrAddress}"`, ...(resolved.length > 0 ? [`at ${resolved.join(", ")}`] : [])].join(" ");
    const available = all.map(({ device, cidr }) => `${device} ${cidr}`);
    throw new UserError(
      `underlay: must be a device with an IPv4 address on this host, or such an address (found ${what}, which is none of ` +
        `this host's: ${available.join(", ") || "it has none"}). Set the device or address by which the peers reach this host.`,
    );
  }
  const { device, cidr } = found;
  if ((device !== "lo" && !cidr.endsWith("/32")) || routes.some((route) => route.device === device)) return found;
  // A host that takes part in routing has its address on a device that no packet leaves by.
  return { device: routeTo(destinations[0] ?? "", routes)?.device ?? device, cidr };
}

/**
 * The source addresses of packets that leave by a device without an address: what a route sets, or else those on lo
 * (inet_select_addr()).
 */
function addressesForRoutes(leaving: readonly Route[], all: readonly DeviceAddress[]): readonly DeviceAddress[] {
  const set = all.filter(({ cidr }) => leaving.some(({ source }) => source === addressOf(cidr)));
  return set.length > 0 || leaving.length === 0 ? set : all.filter(({ device }) => device === "lo");
}

/**
 * Of several addresses, the one that this host sends from to the peers, by the route to the first one; the last destination
 * stands for the default route. An address with the prefix length 32, as keepalived adds it (VRRP),
 * moves from host to host, so it comes last.
 */
function ownAddress(
  all: readonly DeviceAddress[],
  destinations: readonly string[],
  routes: readonly Route[],
): DeviceAddress | undefined {
  return addressesToward(destinations, all, routes)[0] ?? all.find(({ cidr }) => !cidr.endsWith("/32")) ?? all[0];
}

const addressesToward = (
  destinations: readonly string[],
  all: readonly DeviceAddress[],
  routes: readonly Route[],
): DeviceAddress[] => destinations.flatMap((destination) => addressToward(destination, all, routes) ?? []);

function addressToward(
  destination: string,
  all: readonly DeviceAddress[],
  routes: readonly Route[],
): DeviceAddress | undefined {
  const route = routeTo(
    destination,
    routes.filter(({ device }) => all.some((own) => own.device === device)),
  );
  if (route === undefined) return undefined;
  const onDevice = all.filter(({ device }) => device === route.device);
  return (
    onDevice.find(({ cidr }) => addressOf(cidr) === route.source) ??
    onDevice.find(({ cidr }) => contains(networkOf(cidr), route.via ?? destination))
  );
}

function routeTo(destination: string, routes: readonly Route[]): Route | undefined {
  return routes
    .filter(({ network }) => contains(network, destination))
    .sort((one, other) => prefixLength(other.network) - prefixLength(one.network))[0];
}
