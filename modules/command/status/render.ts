import type { Paint } from "../paint";
import type { BridgeStatus, DockerStatus, PeerStatus, ServiceStatus, Status } from "./status";

/** Takes what there is of the network; returns a line for each thing, that thing's name first, for a person or `grep`. */
export function renderStatus(status: Status, paint: Paint): string {
  const { bridge, boot, peers, subnet, docker, service, owed, unseen } = status;
  const lines: [name: string, value: string][] = [
    ["bridge", bridge === null ? "none" : bridgeLine(bridge)],
    ["boot", boot.join(" ") || "none"],
    ["datapath", datapathLine(status)],
    ["peers", peers.map(peerWord).join(", ") || "none"],
    ["subnet", subnet ?? "none"],
    ["docker", docker === null ? "not seen" : dockerLine(docker)],
    ["options", docker?.options.join(" ") || "none"],
    ["service", service === null ? "not seen" : serviceLine(service)],
    ["router", routerLine(status)],
  ];
  const troubles: [name: string, value: string][] = [
    ...owed.map((what): [string, string] => ["owed", what]),
    ...unseen.map((why): [string, string] => ["unseen", why]),
  ];
  const nothing = unseen.length === 0 ? "nothing" : "nothing, as far as can be seen";
  return [
    ...lines.map(([name, value]) => `${paint("bold", name.padEnd(WIDTH))}${value}\n`),
    ...troubles.map(([name, value]) => `${paint("yellow", name.padEnd(WIDTH))}${value}\n`),
    ...(owed.length === 0 ? [`${paint("bold", "owed".padEnd(WIDTH))}${nothing}\n`] : []),
  ].join("");
}

const WIDTH = 10;

function bridgeLine({ name, up, addresses, mtu, mac, containers }: BridgeStatus): string {
  const address = addresses.join(" ") || "without an address";
  return `${name} ${up ? "up" : "down"}, ${address}, mtu ${mtu}, ${mac}, ${count(containers, "container")}`;
}

function datapathLine({ datapath }: Status): string {
  if (datapath === null) return "none";
  if (datapath.kind === "router") return "router";
  const { device, attached, id, port, local } = datapath;
  return `vxlan ${device}${attached ? "" : " (down, or off the bridge)"}, id ${id}, UDP port ${port}, from ${local}`;
}

function peerWord({ address, state }: PeerStatus): string {
  return state === null ? address : `${address} ${state}`;
}

function dockerLine({ init, running, version, containers }: DockerStatus): string {
  const what = containers === null ? [] : [count(containers, "container")];
  const by = init === "systemd" ? "systemd" : "an init script";
  return [
    `${running ? "running" : "stopped"}${version === null ? "" : ` ${version}`}`,
    ...what,
    `started by ${by}`,
  ].join(", ");
}

function serviceLine({ init, unit, installed, state, startsWith, container }: ServiceStatus): string {
  const launched =
    container === null ? [] : [`container of ${container.image} ${container.running ? "running" : "stopped"}`];
  const itself = installed ? [`${unit} ${state}`, `starts with ${startsWith}`] : [`none (${init})`];
  return [...itself, ...launched].join(", ");
}

function routerLine({ router }: Status): string {
  if (router === null) return "none answers";
  const { version, name, nickname, encryption } = router;
  return `${version} ${name} (${nickname}), ${encryption ? "encrypted" : "not encrypted"}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
