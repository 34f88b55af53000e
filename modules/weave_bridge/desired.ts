import { UserError } from "../core/errors";
import type { VxlanParameters } from "../formats/iproute";
import { addressOf, contains, networkOf } from "../net/ipv4";
import { addressesOf, bridgeMac } from "./addresses";
import { rejectNftablesBackend } from "./firewall/docker";
import type { FirewallPlan } from "./firewall/plan";
import { resolveFirewallPlan, wantsForwardRule } from "./firewall/resolve";
import { VXLAN_SUFFIX } from "./names";
import type { ObservedBridge, Provider } from "./observed";
import type { BridgeOptions } from "./options";
import { rejectOverlap } from "./overlap";
import { rejectNetworkAddress, resolvePeers } from "./peers";
import { chooseProvider } from "./providers/detect";
import { resolveUnderlay, routerMtu, type Underlay } from "./underlay";
import {
  rejectAlias,
  rejectNetworksInUse,
  rejectOtherSettings,
  rejectSharedMac,
  rejectTakenAddress,
  rejectVlanName,
  rejectVxlanConflicts,
  requireKinds,
  requireSubnetOfNetwork,
} from "./validate";
import { type DesiredWireguard, rejectEncryptionErrors, resolveWireguard } from "./wireguard/desired";

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
  /** What encrypts the VXLAN; null if nothing does. */
  readonly wireguard: DesiredWireguard | null;
  readonly provider: Provider;
  /** What the operator wants done about the host's firewalls. */
  readonly firewall: BridgeOptions["firewall"];
  /** Whether iptables is to have the forward rule: the one that accepts the frames between the bridge's ports. */
  readonly hasForwardRule: boolean;
  /** What the host's firewalls need besides that rule. */
  readonly firewallPlan: FirewallPlan;
}

/** The VXLAN device that connects the bridge to the other hosts. */
export interface DesiredVxlan extends VxlanParameters {
  readonly name: string;
  /** The other hosts' underlay addresses in numeric order; if encrypted, their addresses on the WireGuard device, as `ADDRESS via DEVICE`. */
  readonly peers: readonly string[];
}

/** Resolves the options on the observed host. Throws a UserError if they contradict one another or don't fit the host. */
export function resolveDesired(options: BridgeOptions, observed: ObservedBridge): DesiredBridge {
  const { name, datapath } = options;
  rejectEncryptionErrors(options);
  const { address, dockerSubnet } = addressesOf(options);
  const network = networkOf(address);
  requireSubnetOfNetwork(dockerSubnet, network);
  rejectOverlap(name, network, observed);
  rejectTakenAddress(address, observed);
  requireKinds(observed);
  rejectNftablesBackend(observed);
  const mac = resolveMac(options, observed);
  rejectSharedMac(name, mac, observed);
  const underlay = datapath === "vxlan" ? resolveUnderlay(options, observed) : null;
  const peers = underlay ? resolvePeers(options.peers, network, underlay.network, observed) : [];
  const wireguard = underlay && resolveEncryption(options, network, underlay, peers, observed);
  const vxlan = underlay && {
    name: name + VXLAN_SUFFIX,
    id: options.vxlan_id,
    port: options.vxlan_port,
    ...(wireguard ? insideWireguard(wireguard) : { local: underlay.address, peers }),
  };
  rejectAlias([name, ...[vxlan, wireguard].flatMap((device) => device?.name ?? [])], observed);
  if (vxlan) rejectVxlanConflicts(vxlan.name, vxlan, observed);
  const provider = chooseProvider(options, observed);
  rejectVlanName(name, provider, observed);
  rejectOtherSettings(provider, observed);
  const mtu = underlay?.mtu ?? routerMtu(options, observed);
  rejectNetworksInUse({ address, mtu }, options, observed);
  return {
    name,
    address,
    network,
    dockerSubnet,
    mac,
    mtu,
    vxlan,
    wireguard,
    provider,
    firewall: options.firewall,
    hasForwardRule: wantsForwardRule(options, observed),
    firewallPlan: resolveFirewallPlan(
      options,
      { address, network, encrypted: wireguard !== null, peers },
      underlay,
      observed,
    ),
  };
}

function resolveEncryption(
  options: BridgeOptions,
  network: string,
  { address, wireguardMtu }: Underlay,
  peers: readonly string[],
  observed: ObservedBridge,
): DesiredWireguard | null {
  const { wireguard_identity: identity, peers: given } = options;
  const own = identity ?? address;
  const others = peers.filter((peer) => peer !== own);
  if (identity !== null) {
    const addresses = observed.links.flatMap((link) => link.addresses.map(addressOf));
    rejectIdentity(
      identity,
      network,
      given.find((peer) => addresses.includes(peer)),
      peers,
      observed,
    );
  }
  return resolveWireguard(options, network, { own, peers: others }, wireguardMtu, observed);
}

/** `listed` is this host's own address, if that is among the peers; `others` are all but it. */
function rejectIdentity(
  identity: string,
  network: string,
  listed: string | undefined,
  others: readonly string[],
  observed: ObservedBridge,
): void {
  if (contains(network, identity)) {
    throw new UserError(
      `wireguard_identity: must be outside the container network ${network} (found ${identity}). Set the address by which the peers ` +
        "know this host.",
    );
  }
  rejectNetworkAddress("wireguard_identity:", identity, observed);
  if (others.includes(identity) && (listed !== undefined || others.length === 1)) {
    const why =
      listed === undefined
        ? "which is the only peer"
        : `the address of a peer, while this host is among them as ${listed}`;
    throw new UserError(
      "wireguard_identity: must be the address by which the peers know this host, and another one on each host (found " +
        `${identity}, ${why}). Correct it, or remove it to have this host's own address on the underlay.`,
    );
  }
}

/** The VXLAN's addresses if it uses the WireGuard device. */
function insideWireguard({
  name,
  address,
  config,
}: DesiredWireguard): Pick<DesiredVxlan, "local" | "device" | "peers"> {
  const addresses = config.peers.flatMap(({ allowedIps }) => allowedIps.map(addressOf));
  return { local: address, device: name, peers: addresses.map((peer) => `${peer} via ${name}`).sort() };
}

function resolveMac(options: BridgeOptions, { machineId }: ObservedBridge): string {
  const mac = bridgeMac(options, machineId);
  if (mac !== null) return mac;
  throw new UserError(
    "mac: must be set on a host without a machine-id (found none in /etc/machine-id). Run systemd-machine-id-setup, or set I(mac).",
  );
}
