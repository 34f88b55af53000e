import { isIPv4 } from "node:net";
import { UserError } from "../../core/errors";
import type { Host } from "../../core/host/host";
import { NET_DEVICES } from "../../core/proc";
import { type IpLink, parseFloodPeers, parseLinks } from "../../formats/iproute";
import { hostAddresses, indexOfAddress } from "../../net/host_addresses";
import { addressOf, contains, networkOf, prefixLength } from "../../net/ipv4";
import { VXLAN_SUFFIX } from "../../weave_bridge/names";
import { requireRoot } from "../../weave_bridge/observe";
import type { Provider } from "../../weave_bridge/observed";
import type { BridgeOptions, options } from "../../weave_bridge/options";
import {
  isOwnFile,
  networkdPath,
  ownPaths,
  parseOwnFiles,
  stanzaPath,
  unitPath,
  type WrittenBridge,
  wireguardPath,
} from "../../weave_bridge/own_files";
import { VXLAN_OVER_IPV6_OVERHEAD, VXLAN_OVERHEAD, WIREGUARD_OVERHEAD } from "../../weave_bridge/underlay";
import { tunnelAddressOf } from "../../weave_bridge/wireguard/keys";
import { configuredPeers } from "../../weave_service/environment";
import { dockerOnBridge, fromDocker } from "../docker_on_bridge";
import type { CurrentOptions } from "./current";

/** A bridge as its files configure it, or as it is: of a live one, less is known. */
type CurrentBridge = Pick<WrittenBridge, "address" | "vxlan" | "peers"> & Partial<WrittenBridge>;

/** The options of weave_bridge as this host has them, with the containers' subnet as Docker has it. */
export const currentBridgeAndSubnet: CurrentOptions<typeof options> = async (given, names, host) => {
  if (given.state === "absent") return currentBridge(given, names, host);
  const onBridge = await fromDocker(host, (docker) => dockerOnBridge(given.name, docker));
  return currentBridge(given, names, host, onBridge?.subnet);
};

/** The same with a given subnet of Docker's; without one it is computed from the index. */
export function currentBridge(
  given: BridgeOptions,
  names: ReadonlySet<string>,
  host: Host,
  dockerSubnet: string | null = null,
): Partial<BridgeOptions> {
  requireRoot(host);
  if (given.state === "absent") return {};
  const links = parseLinks(host.run(["ip", "-d", "addr", "show"]).stdout);
  const current = fromFiles(given.name, host) ?? fromLive(given.name, links, host);
  if (current === null) return {};
  const { vxlan, peers, mac, mtu, firewall, wireguardPort } = current;
  const provider = currentProvider(given.name, host);
  const datapath = names.has("datapath") ? given.datapath : vxlan === null ? "router" : "vxlan";
  const encrypted = wireguardPort !== undefined;
  const underlay = vxlan === null ? undefined : findUnderlay(current, vxlan, links);
  if (encrypted && datapath === "vxlan") {
    requirePassword(given.name, names);
    if (underlay === undefined && !names.has("underlay")) requireIdentity(given.name, names);
  }
  const largest = (host.readText(`${NET_DEVICES}/${underlay?.device}/mtu`) ?? "0").trim();
  const willEncrypt = encrypted || names.has("password") || names.has("wireguard_key");
  const overhead = willEncrypt ? WIREGUARD_OVERHEAD + VXLAN_OVER_IPV6_OVERHEAD : VXLAN_OVERHEAD;
  const mtuFits = vxlan === null || (mtu ?? 0) <= Number(largest) - overhead;
  const sameDatapath = (datapath === "vxlan") === (vxlan !== null);
  const sameUnderlay =
    !names.has("underlay") || [underlay?.device, underlay?.address].some((each) => each === given.underlay);
  return {
    ...currentAddress(current, given, names, dockerSubnet),
    datapath,
    ...(mac !== undefined && { mac }),
    ...(firewall !== undefined && { firewall }),
    ...(provider !== null && { provider }),
    ...(mtu !== undefined && sameDatapath && mtuFits && sameUnderlay && { mtu }),
    // A managed firewall is open to them with the router, too.
    peers: vxlan === null ? routerPeers(host) : peers,
    ...(vxlan !== null && {
      vxlan_id: vxlan.id,
      vxlan_port: vxlan.port,
      ...(wireguardPort !== undefined && { wireguard_port: wireguardPort }),
      ...(underlay !== undefined && { underlay: underlay.address }),
    }),
  };
}

/** The host has the keys, but not the password that they are derived from. Without it, the bridge would no longer be encrypted. */
function requirePassword(name: string, names: ReadonlySet<string>): void {
  if (names.has("password") || names.has("wireguard_key")) return;
  throw new UserError(
    `password: must be given for an encrypted bridge, as a host does not keep it (found ${wireguardPath(name)}). Give it, or ` +
      "I(wireguard_key), in a file (--args FILE); on the command line, the process list would show it. To turn encryption off, remove the bridge (I(state): absent) and configure it again.",
  );
}

/** Behind NAT, no address of this host is the one that its key is derived from. */
function requireIdentity(name: string, names: ReadonlySet<string>): void {
  if (names.has("wireguard_identity")) return;
  throw new UserError(
    "wireguard_identity: must be given, as a host does not keep it (found that the key in " +
      `${wireguardPath(name)} belongs to an address that this host does not have). Give the address by which the peers know this host, ` +
      "or I(underlay) if its address has changed.",
  );
}

/** The underlay address and its device: what the VXLAN uses or, if it is encrypted, what its address inside WireGuard is derived from. */
function findUnderlay(
  { address, wireguardPort }: CurrentBridge,
  { id, local }: NonNullable<CurrentBridge["vxlan"]>,
  links: readonly IpLink[],
): { readonly device: string; readonly address: string } | undefined {
  const all = links.flatMap(({ device, addresses }) => addresses.map((cidr) => ({ device, address: addressOf(cidr) })));
  if (wireguardPort === undefined || address === undefined) return all.find((own) => own.address === local);
  const cluster = { network: networkOf(address), vxlanId: id };
  return all.find((own) => tunnelAddressOf(cluster, own.address) === local);
}

/**
 * With the host's index and the subnets' size, all that is computed from them is known, too; an address that no index has is returned
 * itself, and so is a subnet of Docker's that is not the index's.
 */
function currentAddress(
  { address }: CurrentBridge,
  given: BridgeOptions,
  names: ReadonlySet<string>,
  dockerSubnet: string | null,
): Partial<BridgeOptions> {
  if (address === undefined) return {};
  const network = { network: networkOf(address) };
  // The containers' subnet does not go with another address in the network.
  if (given.address !== null && networkOf(given.address) !== network.network) return {};
  const subnet = names.has("docker_prefix") ? null : partOf(network.network, dockerSubnet);
  const computed = subnet === null ? null : indexOfAddress(address, prefixLength(subnet));
  const fits =
    subnet !== null &&
    computed !== null &&
    hostAddresses(network.network, computed, prefixLength(subnet)).dockerSubnet === subnet;
  const size = fits ? { docker_prefix: prefixLength(subnet) } : {};
  if (names.has("host_index")) return { ...network, ...size };
  const kept = subnet === null || fits || names.has("network") ? {} : { docker_subnet: subnet };
  const index = fits ? computed : indexOfAddress(address, given.docker_prefix);
  if (index !== null) return { ...network, ...size, ...kept, host_index: index };
  return names.has("address") ? kept : { ...kept, address };
}

/** A subnet that a host of the network can have; null if it is none, another one or the whole network. Docker takes the network of an address, too. */
function partOf(network: string, subnet: string | null): string | null {
  const [, address = "", length] = /^([\d.]+)\/(\d+)$/.exec(subnet ?? "") ?? [];
  if (!isIPv4(address) || Number(length) > 32) return null;
  const rounded = networkOf(`${address}/${length}`);
  return prefixLength(rounded) > prefixLength(network) && contains(network, rounded) ? rounded : null;
}

/** The provider whose file creates the bridge at boot; null without such a file, or with those of two. */
function currentProvider(name: string, host: Host): Provider | null {
  const paths: Readonly<Record<Provider, string>> = {
    ifupdown: stanzaPath(name),
    networkd: networkdPath(name, "netdev"),
    systemd: unitPath(name),
  };
  const all = (Object.keys(paths) as Provider[]).filter((each) => isOwnFile(contentOf(paths[each], host)));
  return all.length === 1 ? (all[0] ?? null) : null;
}

function contentOf(path: string, host: Host): string {
  return host.readFile(path)?.content ?? "";
}

/** The peers that weave_service has given the router, without their ports. */
function routerPeers(host: Host): string[] {
  return configuredPeers(host).map((peer) => peer.replace(/:\d+$/, ""));
}

/** Reads what the last run has written for the boot; null if this module has no file here. */
function fromFiles(name: string, host: Host): CurrentBridge | null {
  const written = parseOwnFiles(ownPaths(name).map((path) => contentOf(path, host)));
  return written?.address === undefined ? null : written;
}

/** Reads the live devices; null if there is neither a bridge nor its VXLAN. */
function fromLive(name: string, links: readonly IpLink[], host: Host): CurrentBridge | null {
  const device = name + VXLAN_SUFFIX;
  const bridge = links.find((link) => link.device === name);
  const vxlan = links.find((link) => link.device === device)?.vxlan ?? null;
  if (bridge === undefined && vxlan === null) return null;
  const entries = vxlan === null ? [] : parseFloodPeers(host.run(["bridge", "fdb", "show", "dev", device]).stdout);
  return {
    address: bridge?.addresses.length === 1 ? bridge.addresses[0] : undefined,
    vxlan,
    peers: vxlan === null ? [] : [...new Set(entries.map((entry) => entry.replace(/ .*/, "")))],
  };
}
