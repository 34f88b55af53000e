import { UserError } from "../core/errors";
import type { VxlanParameters } from "../formats/iproute";
import { addressOf, contains, networkOf } from "../net/ipv4";
import { derivedMac } from "../net/validators";
import { addressesOf } from "./addresses";
import { refuseClash, refuseSameVxlan } from "./clashes";
import { chooseProvider, type Provider } from "./managers";
import type { ObservedBridge } from "./observe";
import { type BridgeOptions, VXLAN_SUFFIX } from "./options";
import { peerAddresses } from "./peers";
import { ETHERNET_MTU, underlayOf } from "./underlay";

/** The bridge as it is to be: all values settled. */
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
  /** Null where the Weave router carries the frames. */
  readonly vxlan: DesiredVxlan | null;
  /** What makes it at boot. */
  readonly provider: Provider;
  /** Whether iptables is to pass the bridge's frames. */
  readonly firewall: boolean;
}

export interface DesiredVxlan extends VxlanParameters {
  readonly name: string;
  /** The other hosts' underlay addresses, in numeric order. */
  readonly peers: readonly string[];
}

/** Settles what is asked on the host that was observed. Throws a UserError where that makes no sense, or not on this host. */
export function resolveDesired(options: BridgeOptions, observed: ObservedBridge): DesiredBridge {
  const { name, datapath } = options;
  const { address, dockerSubnet } = addressesOf(options);
  const network = networkOf(address);
  if (!contains(network, dockerSubnet)) {
    throw new UserError(
      `docker_subnet: "${dockerSubnet}" is outside the bridge's network ${network}, so Docker would give containers ` +
        "addresses that other hosts use; give a subnet of that network",
    );
  }
  if (dockerSubnet === network) {
    throw new UserError(
      `docker_subnet: "${dockerSubnet}" is the whole network, so Docker would give containers addresses that other hosts ` +
        "use; give a smaller subnet, of this host alone",
    );
  }
  refuseClash(name, network, observed);
  if (observed.addressHolder !== null) {
    throw new UserError(
      `address: another host (${observed.addressHolder}) already has ${addressOf(address)}, this host's own by its ` +
        "host_index or address; give each host a number of its own",
    );
  }
  if (observed.machineId === "" && options.mac === null) {
    throw new UserError(
      "mac: /etc/machine-id is empty, so none can be derived from it; run systemd-machine-id-setup, or give mac",
    );
  }
  const underlay = datapath === "vxlan" ? underlayOf(options, observed) : null;
  const vxlan = underlay && {
    name: name + VXLAN_SUFFIX,
    id: options.vxlan_id,
    port: options.vxlan_port,
    local: underlay.address,
    peers: peerAddresses(options.peers, network, underlay.network, observed),
  };
  if (vxlan) refuseSameVxlan(vxlan, observed);
  return {
    name,
    address,
    network,
    dockerSubnet,
    mac: options.mac ?? derivedMac(`${observed.machineId} ${name}`),
    // What Docker announces to containers by itself. The Weave router finds out what its paths carry, and fragments.
    mtu: underlay?.mtu ?? options.mtu ?? ETHERNET_MTU,
    vxlan,
    provider: chooseProvider(options, observed.managers),
    firewall: options.firewall && observed.passes !== null,
  };
}
