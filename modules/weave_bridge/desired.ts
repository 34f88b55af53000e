import { UserError } from "../core/errors";
import type { VxlanParameters } from "../formats/iproute";
import { networkOf } from "../net/ipv4";
import type { ObservedBridge, Provider } from "./observed";
import { addressesOf, type BridgeOptions, bridgeMac, VXLAN_SUFFIX } from "./options";
import { rejectOverlap } from "./overlap";
import { resolvePeers } from "./peers";
import { chooseProvider } from "./providers/detect";
import { resolveUnderlay, routerMtu } from "./underlay";
import {
  rejectAlias,
  rejectOtherOwners,
  rejectSharedMac,
  rejectTakenAddress,
  rejectVlanName,
  requireKinds,
  requireSubnetOfNetwork,
} from "./validate";
import { rejectVxlanConflicts } from "./vxlan_conflicts";

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
  requireKinds(observed);
  const mac = resolveMac(options, observed);
  rejectSharedMac(name, mac, observed);
  const underlay = datapath === "vxlan" ? resolveUnderlay(options, observed) : null;
  const vxlan = underlay && {
    name: name + VXLAN_SUFFIX,
    id: options.vxlan_id,
    port: options.vxlan_port,
    local: underlay.address,
    peers: resolvePeers(options.peers, network, underlay.network, observed),
  };
  rejectAlias([name, ...(vxlan ? [vxlan.name] : [])], observed);
  if (vxlan) rejectVxlanConflicts(vxlan.name, vxlan, observed);
  const provider = chooseProvider(options, observed);
  rejectVlanName(name, provider, observed);
  rejectOtherOwners(provider, observed);
  return {
    name,
    address,
    network,
    dockerSubnet,
    mac,
    mtu: underlay?.mtu ?? routerMtu(options, observed),
    vxlan,
    provider,
    firewall: options.firewall && observed.forwardRule !== null,
  };
}

function resolveMac(options: BridgeOptions, { machineId }: ObservedBridge): string {
  const mac = bridgeMac(options, machineId);
  if (mac !== null) return mac;
  throw new UserError(
    "mac: must be set on a host without a machine-id (found none in /etc/machine-id). Run systemd-machine-id-setup, or set mac.",
  );
}
