import { DEFAULT_NETWORK } from "../../core/docker_networks";
import { optionsToStartWith } from "../../docker_bridge_opts/configuration";
import type { DumpedPeer } from "../../formats/wireguard";
import { VXLAN_SUFFIX, WIREGUARD_SUFFIX } from "../../weave_bridge/names";
import { isContainerPort, type ObservedBridge } from "../../weave_bridge/observed";
import { encryptedPaths, networkdPaths, stanzaPath, unitPath } from "../../weave_bridge/own_files";
import { tagOf } from "../../weave_service/container";
import { scriptOfVersion } from "../../weave_service/script";
import { createdNetwork } from "../docker_on_bridge";
import { optionsNow, pendingForDocker, summariseDocker } from "./docker";
import { summariseFirewall } from "./firewall";
import type { Observed } from "./observe";
import type { BridgeStatus, PeerStatus, ServiceStatus, Status } from "./status";

/** The status of the bridge `name` and of all that depends on it. */
export function summarise(name: string, observed: Observed): Status {
  const { bridge, docker, dockerMissing, service, router, errors } = observed;
  return {
    bridge: bridge && summariseBridge(name, bridge),
    boot: bridge === null ? [] : bootFiles(name, bridge),
    datapath: summariseDatapath(name, observed),
    peers: summarisePeers(observed),
    firewall: summariseFirewall(name, observed),
    ...summariseNetwork(name, docker),
    docker: docker && summariseDocker(docker),
    dockerIsMissing: dockerMissing !== null,
    service: summariseService(observed),
    router: router && {
      version: router.version,
      name: router.name,
      nickname: router.nickname,
      encryption: router.encryption,
    },
    pending: [
      ...pendingForBridge(name, observed),
      ...(docker === null ? [] : pendingForDocker(docker)),
      ...(service?.unit.needsReload
        ? [`a reload of ${service.init}: the file of ${service.name} has changed since it was read`]
        : []),
    ],
    problems: [
      ...(dockerMissing === null ? [] : [dockerMissing]),
      ...brokenDevices(name, observed),
      ...brokenRouter(observed),
      ...unansweredPeers(observed),
    ],
    errors,
  };
}

/** The devices of the network that are there but carry nothing. */
function brokenDevices(name: string, { bridge: observed }: Observed): string[] {
  const { bridge = null, vxlan = null, wireguard = null, links = [] } = observed ?? {};
  const addresses = links.find(({ device }) => device === name)?.addresses ?? [];
  // The bridge may be that of a router with mode proxy or plugin, which has an address only if the host is exposed.
  const lacksAddress = addresses.length === 0 && observed !== null && bootFiles(name, observed).length > 0;
  const broken: [device: string, must: string, found: string | null][] = [
    [name, "be up and have an address", bridge && (!bridge.up ? "it down" : lacksAddress ? "none" : null)],
    [
      name + VXLAN_SUFFIX,
      `be up and attached to the bridge ${name}`,
      vxlan && (!vxlan.up ? "it down" : vxlan.master !== name ? `it attached to ${vxlan.master ?? "no bridge"}` : null),
    ],
    [name + WIREGUARD_SUFFIX, "be up", wireguard && (wireguard.up ? null : "it down")],
  ];
  return broken.flatMap(([device, must, found]) =>
    found === null ? [] : [`${device}: must ${must} (found ${found}). Run the playbook, or apollo-weave bridge.`],
  );
}

/** Whether a router runs that can't answer: Weave 1.0 or 1.1. */
export function runsWithoutReport(container: ServiceStatus["container"] | undefined): boolean {
  return container?.running === true && !scriptOfVersion(tagOf(container.image)).hasReport;
}

/** A router that is to run with Docker and does not answer. If something could not be read, that is unknown. */
function brokenRouter({ docker, service, container, router, errors }: Observed): string[] {
  const runs = docker !== null && docker.daemon !== null && errors.length === 0;
  if (!runs || service?.unit.startedBy !== "Docker" || router !== null) return [];
  if (runsWithoutReport(container)) return [];
  return [
    `${service.name}: must run, and its router answer (found it ${service.unit.state}). See its log, and run the playbook.`,
  ];
}

/** The peers that this host has sent to by WireGuard and never had an answer from. An idle one has had none either. */
function unansweredPeers({ bridge }: Observed): string[] {
  const { peers = [], port } = bridge?.wireguard?.config ?? {};
  return peers
    .filter(({ handshake, sent }) => handshake === 0 && sent > 0)
    .map(
      ({ endpoint, allowedIps, sent }) =>
        `${endpoint ?? allowedIps.join(" ")} must answer by WireGuard (found no handshake, and ${sent} B sent). Check that UDP port ` +
        `${port} is open in both directions, and that both hosts have the same password, network and VXLAN id, and that the other ` +
        "one has this address as its identity (wireguard_identity). playbooks/verify.yml compares the hosts.",
    );
}

/** A Docker network on the bridge; otherwise the default network, if that is there. */
function summariseNetwork(bridge: string, docker: Observed["docker"]): Pick<Status, "network" | "subnet"> {
  if (docker === null) return { network: null, subnet: null };
  const created = createdNetwork(bridge, docker);
  if (created !== null) return { network: created.network.name, subnet: created.subnet || null };
  const options = optionsNow(docker);
  const isDefault = options.get("bridge")?.at(-1) === bridge;
  return { network: isDefault ? DEFAULT_NETWORK : null, subnet: options.get("fixed-cidr")?.at(-1) ?? null };
}

function summariseBridge(name: string, { bridge, links }: ObservedBridge): BridgeStatus | null {
  if (bridge === null) return null;
  return {
    name,
    up: bridge.up,
    addresses: links.find(({ device }) => device === name)?.addresses ?? [],
    mtu: bridge.mtu,
    mac: bridge.mac,
    containers: bridge.ports.filter(isContainerPort).length,
  };
}

function bootFiles(name: string, { files }: ObservedBridge): string[] {
  const { tunnelUnit } = encryptedPaths(name);
  return [stanzaPath(name), ...networkdPaths(name), tunnelUnit, unitPath(name)].filter((path) => files.get(path));
}

function summariseDatapath(name: string, { bridge, service, router }: Observed): Status["datapath"] {
  const vxlan = bridge?.vxlan;
  if (vxlan?.parameters) {
    const attached = vxlan.up && vxlan.master === name;
    const { id, port, local, device } = vxlan.parameters;
    const wireguard = device === name + WIREGUARD_SUFFIX ? (bridge?.wireguard ?? null) : null;
    const encryption = wireguard && {
      device: name + WIREGUARD_SUFFIX,
      up: wireguard.up,
      port: wireguard.config?.port ?? null,
    };
    return { kind: "vxlan", device: name + VXLAN_SUFFIX, attached, id, port, local, encryption };
  }
  return router !== null || service?.unit.file ? { kind: "router" } : null;
}

function summarisePeers({ bridge, router, configuredPeers }: Observed): PeerStatus[] {
  const { wireguard } = bridge ?? {};
  if (bridge?.vxlan?.parameters?.device && wireguard?.config) {
    return wireguard.config.peers.map((peer) => summarisePeer(peer, wireguard.observedAt));
  }
  if (bridge?.vxlan) return bridge.vxlan.peers.map((address) => ({ address, state: null }));
  if (router === null) return configuredPeers.map((address) => ({ address, state: "not connected" }));
  return router.connections.map(({ address, state }) => ({ address, state }));
}

function summarisePeer({ endpoint, allowedIps, handshake, received, sent }: DumpedPeer, at: number): PeerStatus {
  const ago = handshake === 0 ? null : Math.max(0, at - handshake);
  return {
    address: endpoint?.replace(/:\d+$/, "") ?? allowedIps.join(" "),
    state: ago === null ? "no handshake" : `handshake ${ago} s ago`,
    wireguard: { endpoint, handshake: ago, received, sent },
  };
}

function summariseService({ service, container }: Observed): ServiceStatus | null {
  if (service === null) return null;
  const { init, name, unit } = service;
  return {
    init,
    unit: name,
    installed: unit.file !== null,
    state: unit.state,
    startsWith: unit.startedBy,
    container: container && { image: container.image, running: container.running },
  };
}

function pendingForBridge(name: string, { bridge: observed, docker }: Observed): string[] {
  if (observed === null) return [];
  const { bridge, detachedPorts } = observed;
  const forDocker = docker !== null && optionsToStartWith(docker).get("bridge")?.at(-1) === name;
  return [
    ...(forDocker && bridge === null
      ? [`the bridge ${name}, which Docker is configured to use (apollo-weave bridge)`]
      : []),
    ...(forDocker && bridge !== null && bootFiles(name, observed).length === 0
      ? [`a file that creates the bridge ${name} at boot (apollo-weave bridge)`]
      : []),
    ...(detachedPorts.length > 0
      ? [`${detachedPorts.length} containers must be attached to the bridge again (apollo-weave bridge)`]
      : []),
  ];
}
