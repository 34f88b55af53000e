import { type Action, runAction } from "../core/change";
import { FLOOD_MAC } from "../formats/iproute";
import { addressOf, networkOf } from "../net/ipv4";
import type { DesiredBridge, DesiredVxlan } from "./desired";
import { deleteRule, insertRuleInShell } from "./firewall/forward_rule";
import type { DesiredWireguard } from "./wireguard/desired";

// Commands of iproute2, wireguard-tools and systemd, each an argument vector, for the running kernel and for boot alike.

/**
 * With its MAC address, as udev would replace one that is set later (MACAddressPolicy=persistent in systemd 242 and newer; moby/libnetwork
 * pull request 2380).
 */
const addBridge = ({ name, mac }: DesiredBridge) => `ip link add name ${name} address ${mac} type bridge`.split(" ");

/** Sets the bridge's MAC address. */
export const setMac = ({ name, mac }: DesiredBridge) => ["ip", "link", "set", "dev", name, "address", mac];

/** Sets a device's MTU, in bytes. */
export const setMtu = (device: string, mtu: number) => ["ip", "link", "set", "dev", device, "mtu", String(mtu)];

/** Sets a device up. */
export const setUp = (device: string) => ["ip", "link", "set", "dev", device, "up"];

/** Attaches a device to a bridge. */
export const setMaster = (device: string, bridge: string) => ["ip", "link", "set", "dev", device, "master", bridge];

/** Deletes a device. */
export const deleteLink = (device: string) => ["ip", "link", "del", "dev", device];

/** Unlike `ip addr add`, succeeds if the device already has the address. */
export const replaceAddress = (device: string, cidr: string) => ["ip", "addr", "replace", cidr, "dev", device];

/** Removes an address, given with its prefix length, from a device. */
export const deleteAddress = (device: string, cidr: string) => ["ip", "addr", "del", cidr, "dev", device];

/** Changes the route to a bridge's network that exists while its address is set again. Another metric makes it another route. */
export const temporaryRoute = (verb: "replace" | "del", bridge: string, cidr: string) =>
  `ip route ${verb} ${networkOf(cidr)} dev ${bridge} src ${addressOf(cidr)} metric 1`.split(" ");

/**
 * The device learns from received frames which peer an address is behind, and sends everything else to every peer. It is
 * bound to no other device but uses the host's routes, so that it can be created before the underlay is up and stays when
 * that is recreated. An encrypted one is bound to the WireGuard device, so that the kernel drops what it can't send through that.
 */
const addVxlan = ({ name, id, port, local, device }: DesiredVxlan) =>
  `ip link add name ${name} type vxlan id ${id} dstport ${port} local ${local}${device ? ` dev ${device}` : ""}`.split(
    " ",
  );

/** Adds a peer to the VXLAN device; a peer is as parseFloodPeers() returns it. */
export const addPeer = (device: string, peer: string) => floodEntry("append", device, peer);

/** Removes a peer from the VXLAN device. */
export const deletePeer = (device: string, peer: string) => floodEntry("del", device, peer);

function floodEntry(verb: "append" | "del", device: string, peer: string): string[] {
  return ["bridge", "fdb", verb, FLOOD_MAC, "dev", device, "dst", ...peer.split(" ")];
}

const addWireguard = (name: string) => ["ip", "link", "add", "dev", name, "type", "wireguard"];

/** A unit of a deleted device may still be stopping; systemd-run would fail. */
const stopUnit = (unit: string) => ["systemctl", "stop", unit];

/**
 * Starts the program that replaces the kernel's WireGuard, and ends with its device. Under systemd it gets its own unit, as it would end
 * with the unit or session that starts it. Without the default dependencies it does not wait for sysinit.target, which may wait for the
 * network (cloud-init.service).
 */
const wireguardGoCommand = ({ name, unit }: DesiredWireguard) =>
  unit === null
    ? ["wireguard-go", name]
    : [
        "systemd-run",
        "--quiet",
        "--collect",
        `--unit=${unit}`,
        "--property=Type=forking",
        "--property=DefaultDependencies=no",
        "wireguard-go",
        name,
      ];

/** An action that the shell can also make at boot. */
type Step = Extract<Action, { do: "run" | "set" }>;

const steps = (...commands: readonly (readonly string[])[]): Step[] => commands.map((argv) => ({ do: "run", argv }));

/** Gives the running device the keys, port and peers of the file. Sessions with peers that stay the same go on. */
export const syncWireguard = ({ name, path }: DesiredWireguard) => ["wg", "syncconf", name, path];

/** IPv6 may be off for new devices. */
export const addWireguardAddress = ({ name, address }: DesiredWireguard): Step[] => [
  { do: "set", path: `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, value: "0" },
  ...steps(replaceAddress(name, `${address}/64`)),
];

/** The kernel would add a second address to wireguard-go's device. */
export const disableAddressGeneration = (device: string) => ["ip", "link", "set", "dev", device, "addrgenmode", "none"];

/** What a new device needs. */
const configureWireguard = (desired: DesiredWireguard): Step[] => [
  ...steps(syncWireguard(desired), disableAddressGeneration(desired.name)),
  ...addWireguardAddress(desired),
  ...steps(setMtu(desired.name, desired.mtu), setUp(desired.name)),
];

/** Creates the WireGuard device, by the kernel or by wireguard-go. */
export function createWireguard(desired: DesiredWireguard): readonly Action[] {
  const { name, implementation, unit } = desired;
  return [
    ...(implementation === "kernel" ? [runAction(addWireguard(name))] : wireguardGoActions(desired, unit)),
    ...configureWireguard(desired),
  ];
}

function wireguardGoActions(desired: DesiredWireguard, unit: string | null): readonly Action[] {
  const argv = wireguardGoCommand(desired);
  if (unit === null) return [runAction(argv)];
  // The last line has the cause; the lines before advise to use the kernel's WireGuard.
  const log = ["journalctl", "--no-pager", "--output=cat", "--lines=1", "--identifier=wireguard-go", `--unit=${unit}`];
  return [
    { do: "run", argv: stopUnit(unit), mayFail: true },
    { do: "run", argv, diagnose: log },
  ];
}

/** Creates the bridge, with its VXLAN device if it has one. */
export const createBridge = (desired: DesiredBridge) => [
  addBridge(desired),
  setMtu(desired.name, desired.mtu),
  ...(desired.vxlan ? createVxlan(desired.name, desired.mtu, desired.vxlan) : []),
  setUp(desired.name),
  replaceAddress(desired.name, desired.address),
];

/** Creates the VXLAN device and attaches it to the bridge. */
export const createVxlan = (bridge: string, mtu: number, vxlan: DesiredVxlan) => [
  addVxlan(vxlan),
  setMtu(vxlan.name, mtu),
  setMaster(vxlan.name, bridge),
  setUp(vxlan.name),
  ...vxlan.peers.map((peer) => addPeer(vxlan.name, peer)),
];

/** Shell commands for boot, in order. */
export interface BootCommands {
  /** Create the bridge, with its MAC address and MTU. */
  readonly create: readonly string[];
  /** Set it up, with its IP address and the rules of packet filters. */
  readonly setUp: readonly string[];
  /**
   * Create the datapath. It comes last, as Docker needs only the bridge. The encryption may fail, if this host has booted another kernel
   * or lacks a program: nothing is then sent in the clear, as the VXLAN is bound to the WireGuard device.
   */
  readonly connect: readonly string[];
  /** Delete the datapath's devices. Each command is tried, whether or not others fail. */
  readonly disconnect: readonly string[];
  /** Delete the bridge, in the same way. */
  readonly remove: readonly string[];
}

/**
 * The commands for boot. A bridge that exists is kept. A VXLAN device that exists may have other parameters, so it is replaced, which
 * detaches no container, unless the running devices are corrected before.
 */
export function bootCommands(desired: DesiredBridge, ifVxlanExists: "keep" | "replace"): BootCommands {
  const { name, address, mtu, vxlan, wireguard, hasForwardRule, firewallPlan } = desired;
  return {
    create: [unlessThere(name, inShell(addBridge(desired))), ...[setMac(desired), setMtu(name, mtu)].map(inShell)],
    setUp: [
      ...[setUp(name), replaceAddress(name, address)].map(inShell),
      ...(hasForwardRule ? [insertRuleInShell(name)] : []),
      ...firewallPlan.boot,
    ],
    connect: [
      ...(wireguard ? createWireguardInShell(wireguard) : []),
      ...(vxlan ? createVxlanInShell(name, mtu, vxlan, ifVxlanExists) : []),
    ],
    disconnect: [vxlan, wireguard].flatMap((device) => (device ? [inShell(deleteLink(device.name))] : [])),
    remove: [inShell(deleteLink(name)), ...(hasForwardRule ? [regardless(deleteRule(name))] : [])],
  };
}

/** As wg-quick does: tries the kernel first, as the host may boot another kernel, then wireguard-go. */
export function createWireguardInShell(desired: DesiredWireguard): readonly string[] {
  const { name, unit } = desired;
  const start = inShell(wireguardGoCommand(desired));
  const byProgram = unit === null ? start : `{ ${inShell(stopUnit(unit))} 2>/dev/null; ${start}; }`;
  const add = `${inShell(addWireguard(name))} 2>/dev/null || ${byProgram}`;
  return [
    unlessThere(name, add),
    ...configureWireguard(desired).map((step) =>
      step.do === "run" ? inShell(step.argv) : `echo ${step.value} >${step.path}`,
    ),
  ];
}

/** The commands of createVxlan() for boot; the device may exist. */
export function createVxlanInShell(
  bridge: string,
  mtu: number,
  vxlan: DesiredVxlan,
  ifVxlanExists: "keep" | "replace",
): readonly string[] {
  const [add = "", ...others] = createVxlan(bridge, mtu, vxlan).map(inShell);
  const { name } = vxlan;
  return [...(ifVxlanExists === "keep" ? [unlessThere(name, add)] : [regardless(deleteLink(name)), add]), ...others];
}

const inShell = (argv: readonly string[]) => argv.join(" ");

const unlessThere = (device: string, command: string) => `ip link show dev ${device} >/dev/null 2>&1 || ${command}`;

const regardless = (argv: readonly string[]) => `${inShell(argv)} 2>/dev/null || true`;
