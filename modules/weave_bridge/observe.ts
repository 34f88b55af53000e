import { dockerPid } from "../core/docker";
import { ipv4Pool, isCreatedOnBridge, listMembers, listNetworks, MTU_OPTION } from "../core/docker_networks";
import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import { effectiveUid, NET_DEVICES } from "../core/proc";
import { programsOf } from "../core/programs";
import { rememberSecret } from "../core/secrets";
import { INTERFACES } from "../formats/interfaces";
import { type IpLink, parseFloodPeers } from "../formats/iproute";
import { secretKeysOf } from "../formats/wireguard";
import { countRules, readFilterTable } from "../net/forward_rule";
import { addressOf } from "../net/ipv4";
import { HOST_NAME } from "../net/own_host";
import { isHostName, readMachineId } from "../net/validators";
import { addressesOf } from "./addresses";
import { observeDetachedPorts } from "./detached_ports";
import { findIsolation, findNftablesBackend } from "./firewall/docker";
import { firewalldHasForwardRule, forwardRuleOf } from "./firewall/forward_rule";
import { observeFirewall } from "./firewall/observe";
import { VXLAN_SUFFIX, WIREGUARD_SUFFIX } from "./names";
import { findMissingKinds, findPortHolder, observeNetwork } from "./observe_kernel";
import { DEVICE_SETTINGS, type NetworkInUse, type ObservedBridge, type ObservedLink } from "./observed";
import { type BridgeOptions, hasWireguard } from "./options";
import {
  INTERFACES_DIRECTORY,
  ownPaths,
  PENDING_RELOADS_DIRECTORY,
  pendingReloadPath,
  STARTED_BY,
  wireguardPath,
} from "./own_files";
import { observeManagers } from "./providers/detect";
import { findOtherSettings } from "./providers/other_settings";
import { observeNeeds, observeWireguard } from "./wireguard/observe";

/** Reads all that the plan depends on. Throws a UserError unless run as root. */
export async function observe(options: BridgeOptions, host: Host): Promise<ObservedBridge> {
  requireRoot(host);
  return observeAsAnyUser(options, host);
}

/**
 * Reads the same without root, except forwardRuleCount, firewall, nftablesBackend, isolation, wireguard.config and WireGuard's file,
 * which are null then.
 */
export async function observeAsAnyUser(options: BridgeOptions, host: Host): Promise<ObservedBridge> {
  const { name } = options;
  const devices = host.readdir(NET_DEVICES);
  const vxlanName = name + VXLAN_SUFFIX;
  const { links, routes, rules } = observeNetwork(host);
  const programs = programsOf(host);
  const managers = observeManagers(name, programs, host);
  const interfaces = host.readFile(INTERFACES);
  const isPresent = options.state === "present";
  const isRoot = effectiveUid(host) === ROOT;
  const mayFail = options.firewall === "off";
  const table = programs.has("iptables") && isRoot ? readFilterTable(host, { mayFail }) : null;
  const wireguardName = name + WIREGUARD_SUFFIX;
  const wireguard = devices.includes(wireguardName)
    ? observeWireguard(wireguardName, observeLink(wireguardName, host), programs, host)
    : null;
  return {
    machineId: readMachineId(host),
    hostName: host.readText(HOST_NAME) ?? "",
    managers,
    interfaces,
    danglingInterfaces: interfaces === null ? host.readlink(INTERFACES) : null,
    interfacesDirectory: host.readdir(INTERFACES_DIRECTORY),
    // If ifupdown is removed, its state file may stay until the next boot.
    upInIfupdown:
      programs.has("ifup") && (host.readText("/run/network/ifstate") ?? "").split("\n").includes(`${name}=${name}`),
    files: observeFiles(name, host),
    unitStartedBy: [...STARTED_BY].flatMap(([unit, link]) => (host.readlink(link(name)) === null ? [] : [unit])),
    pendingReloads: host
      .readdir(PENDING_RELOADS_DIRECTORY)
      .map((file) => `${PENDING_RELOADS_DIRECTORY}/${file}`)
      .filter((path) => path.startsWith(pendingReloadPath(""))),
    links,
    resolvedNames: await host.resolveNames(namesToResolve(options, links)),
    otherSettings: findOtherSettings(options, managers, host),
    routes,
    rules,
    missingKinds: isPresent ? findMissingKinds(options, programs, host) : [],
    portHolder: isPresent ? findPortHolder(options, links, host) : null,
    mtus: new Map(devices.map((device) => [device, mtuOf(device, host)])),
    bridge: devices.includes(name)
      ? {
          ...observeLink(name, host),
          isBridge: host.readdir(`${NET_DEVICES}/${name}/bridge`).length > 0,
          ports: host.readdir(`${NET_DEVICES}/${name}/brif`),
          settings: DEVICE_SETTINGS.filter((setting) =>
            ["all", name].some((of) => host.readText(`/proc/sys/net/ipv4/conf/${of}/${setting}`) === "1"),
          ),
        }
      : null,
    vxlan: devices.includes(vxlanName)
      ? {
          ...observeLink(vxlanName, host),
          parameters: links.find(({ device }) => device === vxlanName)?.vxlan ?? null,
          peers: parseFloodPeers(host.run(["bridge", "fdb", "show", "dev", vxlanName]).stdout),
        }
      : null,
    abandonedPorts: isPresent ? [] : devices.filter((device) => isAbandoned(device, host)),
    wireguard,
    wireguardNeeds: hasWireguard(options) ? observeNeeds(options.wireguard_port, wireguard, programs, host) : null,
    detachedPorts: await observeDetachedPorts(name, devices, host),
    forwardRuleCount:
      table === null ? null : countRules(forwardRuleOf(name), isPresent && options.firewall !== "off", table),
    firewalldHasForwardRule: managers.firewalld ? firewalldHasForwardRule(name, host) : null,
    firewall:
      (options.firewall === "off" && isPresent) || !isRoot
        ? null
        : observeFirewall(table, wireguard !== null || hasWireguard(options), managers.firewalld, programs, host),
    nftablesBackend: isPresent && options.firewall !== "off" && isRoot ? findNftablesBackend(host) : null,
    isolation: findIsolation(name, table),
    macAtAddress: isPresent ? findMacAtAddress(options, links, programs, host) : null,
    dockerNetworks: isPresent && mayChangeContainers(options, links) ? await observeNetworksInUse(name, host) : [],
  };
}

const IFF_UP = 1;

const ROOT = 0;

/** Throws a UserError unless run as root. */
export function requireRoot(host: Host): void {
  const user = effectiveUid(host);
  if (user !== ROOT)
    throw new UserError(`weave_bridge: must run as root (found user id ${user}). Run it as root (become: true).`);
}

/** Only root can read WireGuard's directory. */
function observeFiles(name: string, host: Host): ObservedBridge["files"] {
  const isRoot = effectiveUid(host) === ROOT;
  const files = ownPaths(name).map((path) => {
    return [path, isRoot || path !== wireguardPath(name) ? host.readFile(path) : null] as const;
  });
  for (const key of secretKeysOf(new Map(files).get(wireguardPath(name))?.content ?? "")) rememberSecret(key);
  return new Map(files);
}

/**
 * The host names among the options. Only a VXLAN and a firewall that is read need the peers' addresses; the underlay may also be a
 * device of this host.
 */
function namesToResolve(
  { state, datapath, peers, underlay, firewall }: BridgeOptions,
  links: readonly IpLink[],
): readonly string[] {
  if (state !== "present") return [];
  const isDevice = links.some(({ device }) => device === underlay);
  return [
    ...(datapath === "vxlan" || firewall !== "off" ? peers : []),
    ...(underlay === null || isDevice ? [] : [underlay]),
  ].filter(isHostName);
}

function observeLink(device: string, host: Host): ObservedLink {
  return {
    mac: host.readText(`${NET_DEVICES}/${device}/address`) ?? "",
    mtu: mtuOf(device, host),
    up: (Number(host.readText(`${NET_DEVICES}/${device}/flags`)) & IFF_UP) !== 0,
    master: host.readlink(`${NET_DEVICES}/${device}/master`)?.replace(/.*\//, "") ?? null,
  };
}

function mtuOf(device: string, host: Host): number {
  return Number(host.readText(`${NET_DEVICES}/${device}/mtu`));
}

/**
 * Whether a device is a port that the Weave router created for a container whose process is gone, or has another network now. The port
 * is named by the process, its other end is ethwe (weaveworks/weave, net/veth.go).
 */
function isAbandoned(device: string, host: Host): boolean {
  const pid = /^vethwepl(\d+)$/.exec(device)?.[1];
  if (pid === undefined) return false;
  return !/^\s*ethwe:/m.test(host.readText(`/proc/${pid}/net/dev`) ?? "");
}

/** Whether an existing bridge gets another address, or another MTU by another datapath or by encryption that begins or ends. */
function mayChangeContainers(options: BridgeOptions, links: readonly IpLink[]): boolean {
  const { name, datapath } = options;
  const bridge = links.find(({ device }) => device === name);
  const has = (suffix: string): boolean => links.some(({ device }) => device === name + suffix);
  return (
    bridge !== undefined &&
    (!bridge.addresses.includes(addressesOf(options).address) ||
      has(VXLAN_SUFFIX) !== (datapath === "vxlan") ||
      has(WIREGUARD_SUFFIX) !== hasWireguard(options))
  );
}

async function observeNetworksInUse(bridge: string, host: Host): Promise<readonly NetworkInUse[]> {
  if (dockerPid(host) === null) return [];
  const networks = ((await listNetworks(host)).networks ?? []).filter((network) => isCreatedOnBridge(network, bridge));
  if (networks.length === 0) return [];
  const membersById = await listMembers(networks, host);
  return networks
    .map((network) => {
      const mtu = network.options[MTU_OPTION];
      return {
        name: network.name,
        gateway: ipv4Pool(network)?.gateway ?? "",
        mtu: mtu === undefined ? null : Number(mtu),
        members: membersById?.get(network.id) ?? [],
      };
    })
    .filter(({ members }) => members.length > 0);
}

/**
 * Looks for another host with the address that an existing bridge is about to get: pings it on the bridge, for a second
 * at most, and reads the kernel's neighbour table (IP address, type, flags, MAC address, mask, device).
 */
function findMacAtAddress(
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
  const found = rows.find(
    ([neighbour, , flags, , , device]) =>
      neighbour === ip && device === options.name && (Number(flags) & ATF_COMPLETE) !== 0,
  );
  return found?.[3] ?? null;
}

/** The neighbour has answered (linux/if_arp.h). */
const ATF_COMPLETE = 2;
