import { isContainerPort } from "../../weave_bridge/container_ports";
import { stanzaPath } from "../../weave_bridge/ifupdown";
import { networkdPaths } from "../../weave_bridge/networkd";
import type { ObservedBridge } from "../../weave_bridge/observe";
import { VXLAN_SUFFIX } from "../../weave_bridge/options";
import { configuredOptions, dockerOwed, optionsNow, summariseDocker } from "./docker";
import type { Observed } from "./observe";
import type { BridgeStatus, PeerStatus, ServiceStatus, Status } from "./status";

/** Takes a bridge's name and the host as the modules find it; returns what there is of the network, and what is owed. */
export function summarise(name: string, observed: Observed): Status {
  const { bridge, docker, service, router, unseen } = observed;
  return {
    bridge: bridge && summariseBridge(name, bridge),
    boot: bridge === null ? [] : bootFiles(name, bridge),
    datapath: summariseDatapath(name, observed),
    peers: summarisePeers(observed),
    subnet: (docker && optionsNow(docker).get("fixed-cidr")?.at(-1)) ?? null,
    docker: docker && summariseDocker(docker),
    service: summariseService(observed),
    router: router && {
      version: router.version,
      name: router.name,
      nickname: router.nickname,
      encryption: router.encryption,
    },
    owed: [
      ...bridgeOwed(name, observed),
      ...(docker === null ? [] : dockerOwed(docker)),
      ...(service?.unit.needsReload
        ? [`a reload of ${service.init}, which has an older ${service.name} than its file`]
        : []),
    ],
    unseen,
  };
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
  return [stanzaPath(name), ...networkdPaths(name)].filter((path) => files.get(path));
}

function summariseDatapath(name: string, { bridge, service, router }: Observed): Status["datapath"] {
  const vxlan = bridge?.vxlan;
  if (vxlan?.parameters) {
    const attached = vxlan.up && vxlan.master === name;
    return { kind: "vxlan", device: name + VXLAN_SUFFIX, attached, ...vxlan.parameters };
  }
  return router !== null || service?.unit.file ? { kind: "router" } : null;
}

function summarisePeers({ bridge, router, told }: Observed): PeerStatus[] {
  if (bridge?.vxlan) return bridge.vxlan.peers.map((address) => ({ address, state: null }));
  if (router === null) return told.map((address) => ({ address, state: "not connected" }));
  return router.connections.map(({ address, state }) => ({ address, state }));
}

function summariseService({ service, container }: Observed): ServiceStatus | null {
  if (service === null) return null;
  const { init, name, unit } = service;
  return {
    init,
    unit: name,
    installed: unit.file !== null,
    state: unit.state,
    startsWith: unit.startsWith,
    container: container && { image: container.image, running: container.running },
  };
}

function bridgeOwed(name: string, { bridge: seen, docker }: Observed): string[] {
  if (seen === null) return [];
  const { bridge, cutOffPorts } = seen;
  const forDocker = docker !== null && configuredOptions(docker).get("bridge")?.at(-1) === name;
  return [
    ...(forDocker && bridge === null ? [`the bridge ${name}, which Docker is to use (apollo-weave bridge)`] : []),
    ...(forDocker && bridge !== null && bootFiles(name, seen).length === 0
      ? [`a file that makes the bridge ${name} at boot (apollo-weave bridge)`]
      : []),
    ...(cutOffPorts.length > 0
      ? [`the bridge for ${cutOffPorts.length} containers that are on none (apollo-weave bridge)`]
      : []),
  ];
}
