import type { FileState, Host } from "../core/host";
import {
  type InterfaceAddress,
  parseAddresses,
  parseFloodPeers,
  parseVxlan,
  type VxlanParameters,
} from "../formats/iproute";
import { INTERFACES, stanzaPath } from "./ifupdown";
import { type BridgeOptions, VXLAN_SUFFIX } from "./options";

/** The host as weave_bridge finds it. */
export interface ObservedBridge {
  /** /etc/machine-id, which is the same after every boot. */
  readonly machineId: string;
  /** /etc/network/interfaces, and the bridge's own file beside it. */
  readonly interfaces: FileState | null;
  readonly stanza: FileState | null;
  /** All IPv4 addresses of the host. */
  readonly addresses: readonly InterfaceAddress[];
  /** The MTU of every device, in bytes. */
  readonly mtus: ReadonlyMap<string, number>;
  /** The device of the default route. */
  readonly defaultDevice: string | null;
  readonly bridge: (ObservedLink & { readonly isBridge: boolean }) | null;
  readonly vxlan:
    | (ObservedLink & { readonly parameters: VxlanParameters | null; readonly peers: readonly string[] })
    | null;
}

export interface ObservedLink {
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** The bridge that the device is a port of. */
  readonly master: string | null;
}

/** Looks at the bridge, its VXLAN device, their files and the host's addresses. */
export function observe({ name }: BridgeOptions, host: Host): ObservedBridge {
  const devices = host.names(NET);
  const vxlanName = name + VXLAN_SUFFIX;
  return {
    machineId: host.kernel("/etc/machine-id") ?? "",
    interfaces: host.file(INTERFACES),
    stanza: host.file(stanzaPath(name)),
    addresses: parseAddresses(host.run(["ip", "-o", "-4", "addr", "show"]).stdout),
    mtus: new Map(devices.map((device) => [device, mtuOf(device, host)])),
    defaultDevice: defaultDevice(host.kernel("/proc/net/route") ?? ""),
    bridge: devices.includes(name)
      ? { ...observeLink(name, host), isBridge: host.names(`${NET}/${name}/bridge`).length > 0 }
      : null,
    vxlan: devices.includes(vxlanName) ? { ...observeLink(vxlanName, host), ...observeVxlan(vxlanName, host) } : null,
  };
}

const NET = "/sys/class/net";
const IFF_UP = 1;

function observeLink(device: string, host: Host): ObservedLink {
  return {
    mac: host.kernel(`${NET}/${device}/address`) ?? "",
    mtu: mtuOf(device, host),
    up: (Number(host.kernel(`${NET}/${device}/flags`)) & IFF_UP) !== 0,
    master: host.link(`${NET}/${device}/master`)?.replace(/.*\//, "") ?? null,
  };
}

function observeVxlan(device: string, host: Host): { parameters: VxlanParameters | null; peers: readonly string[] } {
  return {
    parameters: parseVxlan(host.run(["ip", "-d", "-o", "link", "show", "dev", device]).stdout),
    peers: parseFloodPeers(host.run(["bridge", "fdb", "show", "dev", device]).stdout),
  };
}

function mtuOf(device: string, host: Host): number {
  return Number(host.kernel(`${NET}/${device}/mtu`));
}

/** Reads /proc/net/route: device, destination, gateway, flags, …, mask, in hexadecimal. */
function defaultDevice(table: string): string | null {
  const rows = table.split("\n").map((row) => row.split(/\s+/));
  return rows.find(([, destination, , , , , , mask]) => destination === "00000000" && mask === "00000000")?.[0] ?? null;
}
