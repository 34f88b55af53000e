import { UserError } from "../core/errors";
import type { FileState, Host } from "../core/host/host";
import { effectiveUid } from "../core/proc";
import { type IpLink, parseFloodPeers, parseLinks, type VxlanParameters } from "../formats/iproute";
import { parseRoutes, type Route } from "../formats/routes";
import { addressOf } from "../net/ipv4";
import { HOST_NAME } from "../net/validators";
import { addressesOf } from "./addresses";
import { ownPaths, RELOAD_MARKS, reloadMark } from "./boot";
import { observeCutOffPorts } from "./container_ports";
import { checkRule } from "./firewall";
import { INTERFACES, INTERFACES_FOLDER } from "./ifupdown";
import { type Managers, observeManagers } from "./managers";
import { namesToLookUp } from "./names";
import { type BridgeOptions, VXLAN_SUFFIX } from "./options";

/** The host as weave_bridge finds it. */
export interface ObservedBridge {
  /** /etc/machine-id, which is the same after every boot. */
  readonly machineId: string;
  /** The host's name, as the kernel has it. */
  readonly hostName: string;
  readonly managers: Managers;
  /** /etc/network/interfaces, and the names in the folder beside it. */
  readonly interfaces: FileState | null;
  readonly interfacesFolder: readonly string[];
  /** Whether ifupdown holds the bridge for up. */
  readonly ifupdownHolds: boolean;
  /** The files that this module may have made, by path. */
  readonly files: ReadonlyMap<string, FileState | null>;
  /** The marks, by path, of reloads that an interrupted run has not come to. */
  readonly owedReloads: readonly string[];
  /** All devices with their IPv4 addresses. */
  readonly links: readonly IpLink[];
  /** The IPv4 addresses of the names among the options, as this host looks them up. */
  readonly lookedUp: ReadonlyMap<string, readonly string[]>;
  /** The IPv4 routes of the main table. */
  readonly routes: readonly Route[];
  /** The MTU of every device, in bytes. */
  readonly mtus: ReadonlyMap<string, number>;
  readonly bridge: (ObservedLink & { readonly isBridge: boolean; readonly ports: readonly string[] }) | null;
  readonly vxlan:
    | (ObservedLink & { readonly parameters: VxlanParameters | null; readonly peers: readonly string[] })
    | null;
  /** The ports of Docker's containers that belong on the bridge and are on none. */
  readonly cutOffPorts: readonly string[];
  /** Whether iptables has the rule that passes the bridge's frames; null where there is no iptables, or no right to ask it. */
  readonly passes: boolean | null;
  /** The hardware address of another host that has the bridge's address, as far as that can be seen from here. */
  readonly addressHolder: string | null;
}

export interface ObservedLink {
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** The bridge that the device is a port of. */
  readonly master: string | null;
}

/** Looks at all that the plan depends on. Throws a UserError where it may not. */
export async function observe(options: BridgeOptions, host: Host): Promise<ObservedBridge> {
  refuseUnlessRoot(host);
  return probe(options, host);
}

/** Looks at the bridge, its VXLAN device, their files and what else the host's network is; of iptables root alone is told. */
export async function probe(options: BridgeOptions, host: Host): Promise<ObservedBridge> {
  const { name } = options;
  const devices = host.readdir(NET);
  const vxlanName = name + VXLAN_SUFFIX;
  const links = parseLinks(host.run(["ip", "-d", "addr", "show"]).stdout);
  const programs = new Set(PROGRAM_FOLDERS.flatMap((folder) => host.readdir(folder)));
  return {
    machineId: host.readText("/etc/machine-id") ?? "",
    hostName: host.readText(HOST_NAME) ?? "",
    managers: observeManagers(name, programs, host),
    interfaces: host.readFile(INTERFACES),
    interfacesFolder: host.readdir(INTERFACES_FOLDER),
    // Its state outlives it for as long as the host is up.
    ifupdownHolds:
      programs.has("ifup") && (host.readText("/run/network/ifstate") ?? "").split("\n").includes(`${name}=${name}`),
    files: new Map(ownPaths(name).map((path) => [path, host.readFile(path)])),
    owedReloads: host
      .readdir(RELOAD_MARKS)
      .map((file) => `${RELOAD_MARKS}/${file}`)
      .filter((path) => path.startsWith(reloadMark(""))),
    links,
    lookedUp: await host.resolveNames(namesToLookUp(options, links)),
    routes: parseRoutes(host.readText("/proc/net/route") ?? ""),
    mtus: new Map(devices.map((device) => [device, mtuOf(device, host)])),
    bridge: devices.includes(name)
      ? {
          ...observeLink(name, host),
          isBridge: host.readdir(`${NET}/${name}/bridge`).length > 0,
          ports: host.readdir(`${NET}/${name}/brif`),
        }
      : null,
    vxlan: devices.includes(vxlanName)
      ? {
          ...observeLink(vxlanName, host),
          parameters: links.find(({ device }) => device === vxlanName)?.vxlan ?? null,
          peers: parseFloodPeers(host.run(["bridge", "fdb", "show", "dev", vxlanName]).stdout),
        }
      : null,
    cutOffPorts: observeCutOffPorts(name, devices, host),
    passes: programs.has("iptables") && effectiveUid(host) === ROOT ? isPassed(name, host) : null,
    addressHolder: options.state === "present" ? findAddressHolder(options, links, programs, host) : null,
  };
}

const NET = "/sys/class/net";
const IFF_UP = 1;
const PROGRAM_FOLDERS = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

const ROOT = 0;

function refuseUnlessRoot(host: Host): void {
  const user = effectiveUid(host);
  if (user !== ROOT)
    throw new UserError(`weave_bridge needs root, and runs as user ${user}; run it as root (become: true)`);
}

function observeLink(device: string, host: Host): ObservedLink {
  return {
    mac: host.readText(`${NET}/${device}/address`) ?? "",
    mtu: mtuOf(device, host),
    up: (Number(host.readText(`${NET}/${device}/flags`)) & IFF_UP) !== 0,
    master: host.readlink(`${NET}/${device}/master`)?.replace(/.*\//, "") ?? null,
  };
}

/** Status 1 says that there is no such rule, any other that iptables could not tell (iptables/xshared.h). */
function isPassed(name: string, host: Host): boolean {
  const { status, stderr } = host.run(checkRule(name), { mayFail: true });
  if (status > 1) throw new UserError(`${checkRule(name).join(" ")} ended with status ${status}: ${stderr.trim()}`);
  return status === 0;
}

function mtuOf(device: string, host: Host): number {
  return Number(host.readText(`${NET}/${device}/mtu`));
}

/**
 * Where a bridge that is there is to get another address, asks for that on the bridge, which takes a second if nobody
 * answers, and reads the kernel's table of neighbours: IP address, type, flags, hardware address, mask, device.
 */
function findAddressHolder(
  options: BridgeOptions,
  links: readonly IpLink[],
  programs: ReadonlySet<string>,
  host: Host,
): string | null {
  const { address } = addressesOf(options);
  const bridge = links.find(({ device }) => device === options.name);
  if (bridge === undefined || bridge.addresses.includes(address)) return null;
  const ip = addressOf(address);
  if (programs.has("ping")) host.run(["ping", "-c1", "-w1", "-I", options.name, ip], { mayFail: true });
  const rows = (host.readText("/proc/net/arp") ?? "").split("\n").map((row) => row.split(/\s+/));
  const holder = rows.find(
    ([neighbour, , flags, , , device]) =>
      neighbour === ip && device === options.name && (Number(flags) & ATF_COMPLETE) !== 0,
  );
  return holder?.[3] ?? null;
}

/** The neighbour has answered (linux/if_arp.h). */
const ATF_COMPLETE = 2;
