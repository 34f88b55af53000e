import { isIPv4 } from "node:net";
import { type Change, difference, runAction } from "../core/change";
import type { VxlanDevice, VxlanParameters } from "../formats/iproute";
import { addressOf, contains, inNumericOrder, networkOf } from "../net/ipv4";
import {
  addPeer,
  createBridge,
  createVxlan,
  deleteAddress,
  deleteLink,
  deletePeer,
  replaceAddress,
  setMac,
  setMaster,
  setMtu,
  setUp,
} from "./commands";
import type { DesiredBridge, DesiredVxlan } from "./desired";
import { deleteRules, insertRule } from "./firewall/forward_rule";
import { VXLAN_SUFFIX } from "./names";
import {
  type DeviceSetting,
  isContainerPort,
  type ObservedBridge,
  type ObservedDevice,
  ROUTER_DEVICE,
} from "./observed";
import { bringUp } from "./providers/ifupdown";
import { createsByUnit, startUnit } from "./providers/systemd";
import { requireBridge } from "./validate";
import { planWireguardDevice } from "./wireguard/plan";

/** Plans the changes of the running kernel's devices, each with the fewest commands, so that containers stay connected. */
export function planLive(desired: DesiredBridge, observed: ObservedBridge): Change[] {
  const { bridge } = observed;
  // The VXLAN is bound to this device, so it comes first.
  const encryption = desired.wireguard ? planWireguardDevice(desired.name, desired.wireguard, observed) : [];
  if (bridge === null) return [...encryption, ...creation(desired, observed), ...portChanges(desired, observed)];
  requireBridge(desired.name, bridge);
  return [
    ...encryption,
    ...linkChanges(desired, bridge),
    ...addressChanges(desired, bridge, observed),
    ...portChanges(desired, observed),
    ...routerPortChanges(desired, bridge),
    ...datapathChanges(desired, observed),
    ...forwardRuleChanges(desired, observed),
  ];
}

/** ifupdown and systemd create the bridge and the iptables rule from their file, as at boot, so that they know it to be up. */
function creation(desired: DesiredBridge, observed: ObservedBridge): Change[] {
  const { name, provider, hasForwardRule } = desired;
  const fromFile =
    provider === "ifupdown" ? bringUp(name) : createsByUnit(desired, observed.managers) ? startUnit(name) : null;
  // A VXLAN device whose bridge was deleted by hand.
  const leftOver = observed.vxlan ? [runAction(deleteLink(name + VXLAN_SUFFIX))] : [];
  const created: Change = {
    subject: `bridge ${name}`,
    before: "absent\n",
    after:
      describe(desired) +
      (fromFile && hasForwardRule && !observed.forwardRuleCount
        ? "frames between its ports accepted by iptables\n"
        : ""),
    actions: [...leftOver, ...(fromFile ? [fromFile] : createBridge(desired).map((argv) => runAction(argv)))],
  };
  return [created, ...(fromFile && hasForwardRule ? [] : forwardRuleChanges(desired, observed))];
}

function linkChanges(desired: DesiredBridge, bridge: ObservedDevice): Change[] {
  const { name, mac, mtu } = desired;
  const containers = containersOn(bridge);
  const shrinks = containers !== null && mtu < bridge.mtu;
  const disruption = `packets of more than ${mtu} bytes of ${containers}, until Docker recreates their network`;
  return [
    // Announced to all neighbours, which would otherwise send to the old address until they ask again.
    ...(bridge.mac === mac ? [] : enable(name, "arp_notify", bridge)),
    ...difference(`bridge ${name}: mac`, bridge.mac, mac, [setMac(desired)]),
    ...difference(`bridge ${name}: mtu`, bridge.mtu, mtu, [setMtu(name, mtu)]).map((change) =>
      shrinks ? { ...change, disruption } : change,
    ),
    ...difference(`bridge ${name}: state`, state(bridge.up), state(true), [setUp(name)]),
  ];
}

/**
 * Removes other addresses of the network, and those that the bridge's own files still give it, from a network that it was
 * in before. Any other address stays, such as the one that `weave expose` adds.
 */
function addressChanges(
  { name, address, network }: DesiredBridge,
  bridge: ObservedDevice,
  { links, files }: ObservedBridge,
): Change[] {
  const all = links.find(({ device }) => device === name)?.addresses ?? [];
  const inFiles = new Set([...files.values()].flatMap((file) => file?.content.split(/[\s=]+/) ?? []));
  const present = all.filter((cidr) => contains(network, addressOf(cidr)) || inFiles.has(cidr));
  const stale = present.filter((cidr) => cidr !== address);
  // The new address is added before an old one is deleted, so that the route stays. Without promote_secondaries the kernel
  // would delete the new one along with the old.
  return [
    ...(stale.length > 0 ? enable(name, "promote_secondaries", bridge) : []),
    ...difference(`bridge ${name}: address`, present.join("\n"), address, [replaceAddress(name, address)]).map(
      (change) => ({
        ...change,
        // systemd-networkd may have deleted it, when it released the bridge.
        actions: [
          ...change.actions,
          ...stale.map((cidr) => ({ do: "run", argv: deleteAddress(name, cidr), mayFail: true }) as const),
        ],
        ...addressDisruption(address, stale, bridge),
      }),
    ),
  ];
}

/** Running containers keep their addresses, and the old bridge address as gateway. The host's own connections keep it, too. */
function addressDisruption(
  address: string,
  stale: readonly string[],
  bridge: ObservedDevice,
): Pick<Change, "disruption"> {
  const containers = containersOn(bridge);
  const [former] = stale.map(addressOf);
  if (former === undefined) return {};
  const own = `connections to and from this host's address ${former}`;
  if (containers === null) return { disruption: own };
  const what = contains(networkOf(address), former)
    ? "traffic to other networks"
    : "all traffic with other hosts' containers and to other networks";
  const disruption = `${what} of ${containers} with the gateway ${former}, until Docker recreates their network; and ${own}`;
  return { disruption };
}

/** Docker's containers on the bridge, in words; null if there are none. */
function containersOn({ ports }: ObservedDevice): string | null {
  const count = ports.filter(isContainerPort).length;
  return count === 0 ? null : count === 1 ? "1 container" : `${count} containers`;
}

/** Running containers keep their addresses, so attaching their ports again is enough. */
function portChanges({ name }: DesiredBridge, { detachedPorts }: ObservedBridge): Change[] {
  const commands = detachedPorts.map((port) => setMaster(port, name));
  return difference(`bridge ${name}: detached ports of containers`, detachedPorts.join("\n") || NONE, NONE, commands);
}

/** The Weave router leaves its port behind. While the router runs, its port and the VXLAN together would be a loop. */
function routerPortChanges({ name, vxlan }: DesiredBridge, { ports }: ObservedDevice): Change[] {
  const subject = `bridge ${name}: port of the Weave router`;
  const present = vxlan && ports.includes(ROUTER_DEVICE) ? ROUTER_DEVICE : NONE;
  return difference(subject, present, NONE, [deleteLink(ROUTER_DEVICE)]);
}

function datapathChanges({ name, mtu, vxlan }: DesiredBridge, { vxlan: device }: ObservedBridge): Change[] {
  const subject = `bridge ${name}: datapath`;
  if (vxlan === null) {
    const present = device && describeVxlan(name + VXLAN_SUFFIX, device.parameters, device.peers);
    const disruption = "traffic between hosts, until the Weave router carries it";
    return difference(subject, present ?? ROUTER, ROUTER, [deleteLink(name + VXLAN_SUFFIX)]).map((change) => ({
      ...change,
      disruption,
    }));
  }
  const after = describeVxlan(vxlan.name, vxlan, vxlan.peers);
  const create = createVxlan(name, mtu, vxlan);
  if (device === null) return difference(subject, ROUTER, after, create);
  if (describeVxlan(vxlan.name, device.parameters, []) !== describeVxlan(vxlan.name, vxlan, [])) {
    const before = describeVxlan(vxlan.name, device.parameters, device.peers);
    const disruption = disruptionOf(vxlan, device.parameters);
    return difference(subject, before, after, [deleteLink(vxlan.name), ...create]).map((change) => ({
      ...change,
      disruption,
    }));
  }
  return [
    ...difference(`${vxlan.name}: mtu`, device.mtu, mtu, [setMtu(vxlan.name, mtu)]),
    ...difference(`${vxlan.name}: bridge`, device.master ?? NONE, name, [setMaster(vxlan.name, name)]),
    ...difference(`${vxlan.name}: state`, state(device.up), state(true), [setUp(vxlan.name)]),
    ...peerChanges(name, vxlan, device.peers),
  ];
}

/** Of a VXLAN that is recreated. Hosts of which only one encrypts don't reach each other. */
function disruptionOf({ device, id, port }: DesiredVxlan, before: VxlanDevice | null): string {
  if (before !== null && (id !== before.id || port !== before.port))
    return "traffic with each other host, until it has the same I(vxlan_id) and I(vxlan_port)";
  if (device === before?.device) return "traffic between hosts, while the VXLAN device is recreated";
  return `traffic with each other host, until its encryption is turned ${device === undefined ? "off" : "on"}, too`;
}

function peerChanges(bridge: string, vxlan: DesiredVxlan, present: readonly string[]): Change[] {
  const added = vxlan.peers.filter((peer) => !present.includes(peer));
  const removed = present.filter((peer) => !vxlan.peers.includes(peer));
  return difference(`bridge ${bridge}: peers`, inOrder(present).join("\n"), vxlan.peers.join("\n"), [
    ...added.map((peer) => addPeer(vxlan.name, peer)),
    ...removed.map((peer) => deletePeer(vxlan.name, peer)),
  ]);
}

/** Those of an encrypted VXLAN are not IPv4 addresses. */
function inOrder(peers: readonly string[]): readonly string[] {
  return peers.every((peer) => isIPv4(peer)) ? inNumericOrder(peers) : [...peers].sort();
}

function forwardRuleChanges({ name, hasForwardRule }: DesiredBridge, { forwardRuleCount }: ObservedBridge): Change[] {
  const describeRule = (present: boolean): string => (present ? "accepted by iptables" : "subject to iptables");
  const present = forwardRuleCount ?? 0;
  const commands = hasForwardRule ? [insertRule(name)] : deleteRules(name, present);
  const subject = `bridge ${name}: frames between its ports`;
  const disruption = "traffic between containers and with other hosts, unless another rule of iptables accepts it";
  return difference(subject, describeRule(present > 0), describeRule(hasForwardRule), commands).map((change) =>
    hasForwardRule ? change : { ...change, disruption },
  );
}

/** Turns on a kernel setting of the bridge, unless it is on. The setting is lost when the bridge is deleted. */
function enable(name: string, setting: DeviceSetting, { settings }: ObservedDevice): Change[] {
  if (settings.includes(setting)) return [];
  const path = `/proc/sys/net/ipv4/conf/${name}/${setting}`;
  return [
    { subject: `bridge ${name}: ${setting}`, before: "0\n", after: "1\n", actions: [{ do: "set", path, value: "1" }] },
  ];
}

const ROUTER = "router";
const NONE = "none";

function describe({ address, mac, mtu, vxlan }: DesiredBridge): string {
  const datapath = vxlan ? describeVxlan(vxlan.name, vxlan, vxlan.peers) : ROUTER;
  return `address ${address}\nmac ${mac}\nmtu ${mtu}\ndatapath ${datapath}\n`;
}

function describeVxlan(
  device: string,
  vxlan: (VxlanParameters & Partial<VxlanDevice>) | null,
  peers: readonly string[],
): string {
  if (vxlan === null) return `${device}, which is not a VXLAN`;
  const { id, port, local, device: lower, flags = [] } = vxlan;
  const bound = lower === undefined ? [] : [`dev ${lower}`];
  const head = [`vxlan id ${id} dstport ${port} local ${local}`, ...bound, ...flags].join(" ");
  return [head, ...peers.map((peer) => `peer ${peer}`)].join("\n");
}

function state(up: boolean): string {
  return up ? "up" : "down";
}
