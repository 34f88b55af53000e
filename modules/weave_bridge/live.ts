import { type Action, type Change, run } from "../core/change";
import { UserError } from "../core/errors";
import { addressOf, contains, inNumericOrder } from "../net/ipv4";
import type { DesiredBridge, DesiredVxlan } from "./desired";
import { deleteRule, insertRule } from "./firewall";
import { bringUp } from "./ifupdown";
import {
  addPeer,
  deleteAddress,
  deleteLink,
  deletePeer,
  makeBridge,
  makeVxlan,
  replaceAddress,
  setMac,
  setMaster,
  setMtu,
  setUp,
} from "./ip_commands";
import type { ObservedBridge } from "./observe";
import { VXLAN_SUFFIX } from "./options";

type ObservedDevice = NonNullable<ObservedBridge["bridge"]>;

/** What is to change in the running kernel, each by the least that does it, with containers attached. */
export function liveChanges(wanted: DesiredBridge, observed: ObservedBridge): Change[] {
  const { bridge } = observed;
  if (bridge === null) return [...creation(wanted, observed), ...portChanges(wanted, observed)];
  refuseOtherThanBridge(wanted.name, bridge);
  return [
    ...linkChanges(wanted, bridge),
    ...addressChanges(wanted, observed),
    ...portChanges(wanted, observed),
    ...routerPortChanges(wanted, bridge),
    ...datapathChanges(wanted, observed),
    ...firewallChanges(wanted, observed),
  ];
}

/** Throws a UserError where the device of the bridge's name is something else. */
export function refuseOtherThanBridge(name: string, { isBridge }: ObservedDevice): void {
  if (isBridge) return;
  throw new UserError(
    `name: this host has an interface ${name} that is no bridge; delete it (ip link del ${name}) or give another name`,
  );
}

/** ifupdown makes the bridge, and the firewall's rule, by the very lines that will do so at boot, and so holds it for up. */
function creation(wanted: DesiredBridge, observed: ObservedBridge): Change[] {
  const { name, provider, firewall } = wanted;
  const byIfupdown = provider === "ifupdown";
  // One that is left over from a bridge that was deleted by hand.
  const leftOver = observed.vxlan ? [run(deleteLink(name + VXLAN_SUFFIX))] : [];
  const made: Change = {
    subject: `bridge ${name}`,
    before: "absent\n",
    after: describe(wanted),
    actions: [...leftOver, ...(byIfupdown ? [bringUp(name)] : makeBridge(wanted).map((argv) => run(argv)))],
  };
  return [made, ...(byIfupdown && firewall ? [] : firewallChanges(wanted, observed))];
}

function linkChanges(wanted: DesiredBridge, bridge: ObservedDevice): Change[] {
  const { name, mac, mtu } = wanted;
  return [
    // With a word to all neighbours, who would send to the old one until they ask again.
    ...difference(`bridge ${name}: mac`, bridge.mac, mac, [set(name, "arp_notify"), setMac(wanted)]),
    ...difference(`bridge ${name}: mtu`, bridge.mtu, mtu, [setMtu(name, mtu)]),
    ...difference(`bridge ${name}: state`, state(bridge.up), state(true), [setUp(name)]),
  ];
}

/**
 * Addresses outside the network stay, such as the one that `weave expose` gives the bridge, but for one that the bridge's
 * own file gave it: that is of the network that it was in before.
 */
function addressChanges({ name, address, network }: DesiredBridge, { links, files }: ObservedBridge): Change[] {
  const all = links.find(({ device }) => device === name)?.addresses ?? [];
  const given = new Set([...files.values()].flatMap((file) => file?.content.split(/[\s=]+/) ?? []));
  const present = all.filter((cidr) => contains(network, addressOf(cidr)) || given.has(cidr));
  const stale = present.filter((cidr) => cidr !== address);
  // The new one comes before an old one goes, so that the route stays; the kernel drops it along with that unless told.
  return difference(`bridge ${name}: address`, present.join("\n"), address, [
    set(name, "promote_secondaries"),
    replaceAddress(name, address),
    ...stale.map((cidr) => deleteAddress(name, cidr)),
  ]);
}

/** Containers that run keep their addresses, so that being on the bridge again is all that they need. */
function portChanges({ name }: DesiredBridge, { cutOffPorts }: ObservedBridge): Change[] {
  const commands = cutOffPorts.map((port) => setMaster(port, name));
  return difference(`bridge ${name}: containers cut off from it`, cutOffPorts.join("\n") || NONE, NONE, commands);
}

/** The Weave router's port stays behind when it goes. With a router that runs, the VXLAN beside it would make a loop. */
function routerPortChanges({ name, vxlan }: DesiredBridge, { ports }: ObservedDevice): Change[] {
  const subject = `bridge ${name}: port of the Weave router`;
  const present = vxlan && ports.includes(ROUTER_PORT) ? ROUTER_PORT : NONE;
  return difference(subject, present, NONE, [deleteLink(ROUTER_PORT)]);
}

/** What the router, from Weave 2.0, has on a bridge made before it. */
export const ROUTER_PORT = "vethwe-bridge";

function datapathChanges({ name, mtu, vxlan }: DesiredBridge, { vxlan: device }: ObservedBridge): Change[] {
  const subject = `bridge ${name}: datapath`;
  if (vxlan === null) {
    const present = device && describeVxlan(name + VXLAN_SUFFIX, device.parameters, device.peers);
    return difference(subject, present ?? ROUTER, ROUTER, [deleteLink(name + VXLAN_SUFFIX)]);
  }
  if (device === null || describeVxlan(vxlan.name, device.parameters, []) !== describeVxlan(vxlan.name, vxlan, [])) {
    const present = device ? describeVxlan(vxlan.name, device.parameters, device.peers) : ROUTER;
    const remove = device ? [deleteLink(vxlan.name)] : [];
    const make = makeVxlan(name, mtu, vxlan);
    return difference(subject, present, describeVxlan(vxlan.name, vxlan, vxlan.peers), [...remove, ...make]).map(
      (change) =>
        device
          ? { ...change, disruption: "traffic between hosts, for as long as the VXLAN device takes to be made anew" }
          : change,
    );
  }
  return [
    ...difference(`${vxlan.name}: mtu`, device.mtu, mtu, [setMtu(vxlan.name, mtu)]),
    ...difference(`${vxlan.name}: bridge`, device.master ?? NONE, name, [setMaster(vxlan.name, name)]),
    ...difference(`${vxlan.name}: state`, state(device.up), state(true), [setUp(vxlan.name)]),
    ...peerChanges(name, vxlan, device.peers),
  ];
}

function peerChanges(bridge: string, vxlan: DesiredVxlan, present: readonly string[]): Change[] {
  const added = vxlan.peers.filter((peer) => !present.includes(peer));
  const removed = present.filter((peer) => !vxlan.peers.includes(peer));
  return difference(`bridge ${bridge}: peers`, inNumericOrder(present).join("\n"), vxlan.peers.join("\n"), [
    ...added.map((peer) => addPeer(vxlan.name, peer)),
    ...removed.map((peer) => deletePeer(vxlan.name, peer)),
  ]);
}

function firewallChanges({ name, firewall }: DesiredBridge, { passes }: ObservedBridge): Change[] {
  const word = (passed: boolean): string => (passed ? "passed by iptables" : "subject to iptables");
  const change = firewall ? insertRule(name) : deleteRule(name);
  return difference(`bridge ${name}: frames between its ports`, word(passes ?? false), word(firewall), [change]);
}

function difference(
  subject: string,
  before: string | number,
  after: string | number,
  steps: readonly (Action | string[])[],
): Change[] {
  if (before === after) return [];
  const actions = steps.map((step) => ("do" in step ? step : run(step)));
  return [{ subject, before: `${before}\n`, after: `${after}\n`, actions }];
}

/** Turns on a setting of the kernel's for one device (ip-sysctl). */
function set(device: string, setting: string): Action {
  return { do: "set", path: `/proc/sys/net/ipv4/conf/${device}/${setting}`, value: "1" };
}

const ROUTER = "router";
const NONE = "none";

function describe({ address, mac, mtu, vxlan }: DesiredBridge): string {
  const datapath = vxlan ? describeVxlan(vxlan.name, vxlan, vxlan.peers) : ROUTER;
  return `address ${address}\nmac ${mac}\nmtu ${mtu}\ndatapath ${datapath}\n`;
}

function describeVxlan(
  device: string,
  vxlan: Omit<DesiredVxlan, "name" | "peers"> | null,
  peers: readonly string[],
): string {
  if (vxlan === null) return `${device}, which is no vxlan`;
  const head = `vxlan id ${vxlan.id} port ${vxlan.port} from ${vxlan.local}`;
  return [head, ...peers.map((peer) => `peer ${peer}`)].join("\n");
}

function state(up: boolean): string {
  return up ? "up" : "down";
}
