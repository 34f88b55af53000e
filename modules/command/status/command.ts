import { DEFAULT_NETWORK } from "../../docker_bridge_opts/options";
import { options as bridgeOptions } from "../../weave_bridge/options";
import { textFlag } from "../arguments";
import type { Subcommand } from "../command_line";
import { EXIT_STATUSES, type Paint, paintFor, print } from "../terminal";
import { renderMetrics } from "./metrics";
import { observe } from "./observe";
import type { BridgeStatus, DockerStatus, PeerStatus, ServiceStatus, Status } from "./status";
import { summarise } from "./summarise";

/** The subcommand that shows the state of the container network on this host. */
export const statusCommand: Subcommand = {
  name: "status",
  describe: "Show this host's bridge, peers, Docker and router, and what is pending",
  flags: {
    name: { type: "string", nargs: 1, default: bridgeOptions.name.default ?? "", describe: "The bridge's name" },
    json: { type: "boolean", default: false, describe: "Print JSON" },
    format: {
      type: "string",
      nargs: 1,
      choices: ["text", "json", "prometheus"],
      default: "text",
      describe: "What to print; prometheus is for node_exporter's textfile collector",
    },
  },
  epilog: `Example, on any host, as any user:\n  apollo-weave status\n\n${EXIT_STATUSES}`,
  run: async (values) => {
    const name = textFlag(values, "name") ?? "";
    const status = summarise(name, await observe(name));
    const format = values["json"] === true ? "json" : textFlag(values, "format");
    if (format === "json") print(`${JSON.stringify(status, null, 2)}\n`);
    else if (format === "prometheus") print(renderMetrics(status, name));
    else print(renderStatus(status, paintFor(process.stdout)));
  },
};

/** One line for each part of the status, its name first, so that `grep` finds it. */
export function renderStatus(status: Status, paint: Paint): string {
  const { bridge, boot, peers, network, subnet, docker, service, pending, errors } = status;
  const lines: [name: string, value: string][] = [
    ["bridge", bridge === null ? "none" : bridgeLine(bridge)],
    ["boot", boot.join(" ") || "none"],
    ["datapath", datapathLine(status)],
    ["peers", peers.map(peerWord).join(", ") || "none"],
    ["network", network === null ? "none" : network === DEFAULT_NETWORK ? "Docker's default network" : network],
    ["subnet", subnet ?? "none"],
    ["docker", docker === null ? "unknown" : dockerLine(docker)],
    ["options", docker?.options.join(" ") || "none"],
    ["service", service === null ? "unknown" : serviceLine(service)],
    ["router", routerLine(status)],
  ];
  const problems: [name: string, value: string][] = [
    ...pending.map((what): [string, string] => ["pending", what]),
    ...errors.map((message): [string, string] => ["error", message]),
  ];
  const none = errors.length === 0 ? "none" : "none found, but see the errors";
  return [
    ...lines.map(([name, value]) => `${paint("bold", name.padEnd(WIDTH))}${value}\n`),
    ...problems.map(([name, value]) => `${paint("yellow", name.padEnd(WIDTH))}${value}\n`),
    ...(pending.length === 0 ? [`${paint("bold", "pending".padEnd(WIDTH))}${none}\n`] : []),
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
  return `vxlan ${device}${attached ? "" : " (down, or not attached to the bridge)"}, id ${id}, UDP port ${port}, from ${local}`;
}

function peerWord({ address, state }: PeerStatus): string {
  return state === null ? address : `${address} ${state}`;
}

function dockerLine({ init, running, version, containers }: DockerStatus): string {
  const counted = containers === null ? [] : [count(containers, "container")];
  const by = init === "systemd" ? "systemd" : "an init script";
  return [
    `${running ? "running" : "stopped"}${version === null ? "" : ` ${version}`}`,
    ...counted,
    `started by ${by}`,
  ].join(", ");
}

function serviceLine({ init, unit, installed, state, startsWith, container }: ServiceStatus): string {
  const containerState =
    container === null ? [] : [`container of ${container.image} ${container.running ? "running" : "stopped"}`];
  const unitState = installed ? [`${unit} ${state}`, `starts with ${startsWith}`] : [`none (${init})`];
  return [...unitState, ...containerState].join(", ");
}

function routerLine({ router }: Status): string {
  if (router === null) return "no answer";
  const { version, name, nickname, encryption } = router;
  return `${version} ${name} (${nickname}), ${encryption ? "encrypted" : "not encrypted"}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
