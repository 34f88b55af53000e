import { type Change, run } from "../core/change";
import type { Plan } from "../core/module";
import { Refusal } from "../core/refusal";
import { contains } from "../network/ipv4";
import { inNumericOrder } from "../network/ipv4_order";
import { bootChanges, bringUp } from "./ifupdown";
import * as ip from "./ip_commands";
import type { ObservedBridge } from "./observe";
import { type BridgeOptions, VXLAN_SUFFIX } from "./options";
import { settle, type WantedBridge, type WantedVxlan } from "./wanted";

/** Decides what makes the bridge, its file and its datapath what is asked, with the least that does it. */
export function plan(options: BridgeOptions, observed: ObservedBridge): Plan {
  const wanted = settle(options, observed);
  return {
    changes: [...bootChanges(wanted, observed), ...liveChanges(wanted, observed)],
    facts: {
      name: wanted.name,
      address: wanted.address,
      network: wanted.network,
      docker_subnet: wanted.dockerSubnet,
      datapath: wanted.vxlan ? "vxlan" : "router",
      peers: wanted.vxlan?.peers ?? [],
      mtu: wanted.mtu,
      mac: wanted.mac,
    },
  };
}

function liveChanges(wanted: WantedBridge, observed: ObservedBridge): Change[] {
  const { name } = wanted;
  if (observed.bridge === null) {
    return [{ subject: `bridge ${name}`, before: "absent\n", after: describe(wanted), actions: [bringUp(name)] }];
  }
  if (!observed.bridge.isBridge) {
    throw new Refusal(
      `name: this host has an interface ${name} that is no bridge; delete it (ip link del ${name}) or give another name`,
    );
  }
  return [
    ...linkChanges(wanted, observed.bridge),
    ...addressChanges(wanted, observed),
    ...datapathChanges(wanted, observed),
  ];
}

function linkChanges(wanted: WantedBridge, bridge: NonNullable<ObservedBridge["bridge"]>): Change[] {
  const { name, mac, mtu } = wanted;
  return [
    ...difference(`bridge ${name}: mac`, bridge.mac, mac, [ip.setMac(wanted)]),
    ...difference(`bridge ${name}: mtu`, bridge.mtu, mtu, [ip.setMtu(name, mtu)]),
    ...difference(`bridge ${name}: state`, state(bridge.up), state(true), [ip.setUp(name)]),
  ];
}

/** Addresses outside the network stay, such as the one that `weave expose` gives the bridge. */
function addressChanges({ name, address, network }: WantedBridge, { addresses }: ObservedBridge): Change[] {
  const present = addresses.filter(
    ({ device, cidr }) => device === name && contains(network, cidr.replace(/\/.*/, "")),
  );
  const stale = present.map(({ cidr }) => cidr).filter((cidr) => cidr !== address);
  // Stale ones go first: the kernel drops an address along with an older one of the same network.
  const commands = [...stale.map((cidr) => ip.deleteAddress(name, cidr)), ip.replaceAddress(name, address)];
  return difference(`bridge ${name}: address`, present.map(({ cidr }) => cidr).join("\n"), address, commands);
}

function datapathChanges({ name, mtu, vxlan }: WantedBridge, { vxlan: device }: ObservedBridge): Change[] {
  const subject = `bridge ${name}: datapath`;
  if (vxlan === null) {
    const present = device && describeVxlan(name + VXLAN_SUFFIX, device.parameters, device.peers);
    return difference(subject, present ?? ROUTER, ROUTER, [ip.deleteLink(name + VXLAN_SUFFIX)]);
  }
  if (device === null || describeVxlan(vxlan.name, device.parameters, []) !== describeVxlan(vxlan.name, vxlan, [])) {
    const present = device ? describeVxlan(vxlan.name, device.parameters, device.peers) : ROUTER;
    const remove = device ? [ip.deleteLink(vxlan.name)] : [];
    const make = ip.makeVxlan(name, mtu, vxlan);
    return difference(subject, present, describeVxlan(vxlan.name, vxlan, vxlan.peers), [...remove, ...make]).map(
      (change) =>
        device
          ? { ...change, disrupts: "traffic between hosts, for as long as the VXLAN device takes to be made anew" }
          : change,
    );
  }
  return [
    ...difference(`${vxlan.name}: mtu`, device.mtu, mtu, [ip.setMtu(vxlan.name, mtu)]),
    ...difference(`${vxlan.name}: bridge`, device.master ?? "none", name, [ip.setMaster(vxlan.name, name)]),
    ...difference(`${vxlan.name}: state`, state(device.up), state(true), [ip.setUp(vxlan.name)]),
    ...peerChanges(name, vxlan, device.peers),
  ];
}

function peerChanges(bridge: string, vxlan: WantedVxlan, present: readonly string[]): Change[] {
  const added = vxlan.peers.filter((peer) => !present.includes(peer));
  const removed = present.filter((peer) => !vxlan.peers.includes(peer));
  return difference(`bridge ${bridge}: peers`, inNumericOrder(present).join("\n"), vxlan.peers.join("\n"), [
    ...added.map((peer) => ip.addPeer(vxlan.name, peer)),
    ...removed.map((peer) => ip.deletePeer(vxlan.name, peer)),
  ]);
}

function difference(subject: string, before: string | number, after: string | number, commands: string[][]): Change[] {
  if (before === after) return [];
  return [{ subject, before: `${before}\n`, after: `${after}\n`, actions: commands.map((argv) => run(argv)) }];
}

const ROUTER = "router";

function describe({ address, mac, mtu, vxlan }: WantedBridge): string {
  const datapath = vxlan ? describeVxlan(vxlan.name, vxlan, vxlan.peers) : ROUTER;
  return `address ${address}\nmac ${mac}\nmtu ${mtu}\ndatapath ${datapath}\n`;
}

function describeVxlan(
  device: string,
  vxlan: Omit<WantedVxlan, "name" | "peers"> | null,
  peers: readonly string[],
): string {
  if (vxlan === null) return `${device}, which is no vxlan`;
  const { id, port, local, underlay } = vxlan;
  const head = `vxlan id ${id} port ${port} from ${local} on ${underlay}`;
  return [head, ...peers.map((peer) => `peer ${peer}`)].join("\n");
}

function state(up: boolean): string {
  return up ? "up" : "down";
}
