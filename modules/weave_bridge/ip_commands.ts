import { FLOOD_MAC } from "../formats/iproute";
import type { DesiredBridge, DesiredVxlan } from "./desired";

/** The commands that make a bridge what it is to be, for the live host and for its file alike; each an argument vector. */

export const addBridge = ({ name }: DesiredBridge) => ["ip", "link", "add", "name", name, "type", "bridge"];

export const setMac = ({ name, mac }: DesiredBridge) => ["ip", "link", "set", "dev", name, "address", mac];

export const setMtu = (device: string, mtu: number) => ["ip", "link", "set", "dev", device, "mtu", String(mtu)];

export const setUp = (device: string) => ["ip", "link", "set", "dev", device, "up"];

export const setMaster = (device: string, bridge: string) => ["ip", "link", "set", "dev", device, "master", bridge];

export const deleteLink = (device: string) => ["ip", "link", "del", "dev", device];

/** Adds the address where it is not there yet. */
export const replaceAddress = (device: string, cidr: string) => ["ip", "addr", "replace", cidr, "dev", device];

export const deleteAddress = (device: string, cidr: string) => ["ip", "addr", "del", cidr, "dev", device];

/**
 * The device learns from the frames it receives which peer an address lives behind; all else goes to every peer. It stands
 * on no other device: the host's routes say which way to the peers, so that it can be made before the underlay is up, and
 * stays when that is made anew.
 */
const addVxlan = ({ name, id, port, local }: DesiredVxlan) =>
  `ip link add name ${name} type vxlan id ${id} dstport ${port} local ${local}`.split(" ");

export const addPeer = (device: string, peer: string) => [
  "bridge",
  "fdb",
  "append",
  FLOOD_MAC,
  "dev",
  device,
  "dst",
  peer,
];

export const deletePeer = (device: string, peer: string) => [
  "bridge",
  "fdb",
  "del",
  FLOOD_MAC,
  "dev",
  device,
  "dst",
  peer,
];

/** Makes the bridge and all that belongs to it. */
export const makeBridge = (wanted: DesiredBridge) => [
  addBridge(wanted),
  setMac(wanted),
  setMtu(wanted.name, wanted.mtu),
  ...(wanted.vxlan ? makeVxlan(wanted.name, wanted.mtu, wanted.vxlan) : []),
  setUp(wanted.name),
  replaceAddress(wanted.name, wanted.address),
];

/** Makes the VXLAN device and puts it on the bridge, in several commands. */
export const makeVxlan = (bridge: string, mtu: number, vxlan: DesiredVxlan) => [
  addVxlan(vxlan),
  setMtu(vxlan.name, mtu),
  setMaster(vxlan.name, bridge),
  setUp(vxlan.name),
  ...vxlan.peers.map((peer) => addPeer(vxlan.name, peer)),
];
