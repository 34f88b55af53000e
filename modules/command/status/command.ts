import { DEFAULT_NETWORK } from "../../core/docker_networks";
import { options as bridgeOptions } from "../../weave_bridge/options";
import { checkArguments, textFlag } from "../arguments";
import type { Subcommand } from "../command_line";
import { EXIT, type Paint, paintFor, print } from "../terminal";
import { renderMetrics } from "./metrics";
import { observe } from "./observe";
import type { BridgeStatus, DockerStatus, EncryptionStatus, PeerStatus, ServiceStatus, Status } from "./status";
import { summarise } from "./summarise";

const EPILOG = `Example, on any host, as any user:
  apollo-weave status

Exit status:
  ${EXIT.done}  nothing is pending, and no problem was found
  ${EXIT.failed}  some part could not be read: see "error"
  ${EXIT.usage}  the command line is wrong; nothing was read
  ${EXIT.wouldChange}  something is pending or does not work: see "pending" and "problem"
With --format prometheus it is ${EXIT.done} in place of ${EXIT.failed} and ${EXIT.wouldChange}, as the metrics tell what was found.`;

/** The exit status by what was found; a part that could not be read may hide more. */
export function exitStatusOf({ errors, problems, pending }: Pick<Status, "errors" | "problems" | "pending">): number {
  if (errors.length > 0) return EXIT.failed;
  return problems.length + pending.length > 0 ? EXIT.wouldChange : EXIT.done;
}

/** The subcommand that shows the state of the container network on this host. */
export const statusCommand: Subcommand = {
  name: "status",
  describe: "Show this host's bridge, peers, firewall, Docker and router, and what is pending",
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
  epilog: EPILOG,
  run: async (values) => {
    const name = textFlag(values, "name") ?? "";
    checkArguments("status", { table: { name: bridgeOptions.name }, options: new Map([["name", name]]), file: null });
    const status = summarise(name, await observe(name));
    const format = values["json"] === true ? "json" : textFlag(values, "format");
    if (format === "json") print(`${JSON.stringify(status, null, 2)}\n`);
    else if (format === "prometheus") print(renderMetrics(status));
    else print(renderStatus(status, paintFor(process.stdout)));
    if (format !== "prometheus") process.exitCode = exitStatusOf(status);
  },
};

/** One line for each part of the status that this host has, its name first, so that `grep` finds it. */
export function renderStatus(status: Status, paint: Paint): string {
  const {
    bridge,
    boot,
    datapath,
    peers,
    firewall,
    network,
    subnet,
    docker,
    dockerIsMissing,
    service,
    pending,
    problems,
    errors,
  } = status;
  const isSetUp = bridge !== null || boot.length > 0 || datapath !== null;
  const hasRouter = datapath?.kind === "router";
  const hasService = service !== null && (service.installed || service.container !== null);
  const lines: [name: string, value: string, applies: boolean][] = [
    ["bridge", bridge === null ? "none" : bridgeLine(bridge), true],
    ["boot", boot.join(" ") || "none", isSetUp],
    ["datapath", datapathLine(status), isSetUp],
    ["peers", peers.map(peerWord).join(", ") || "none", isSetUp],
    ["firewall", firewallLine(firewall), bridge !== null],
    [
      "network",
      network === null ? "none" : network === DEFAULT_NETWORK ? "Docker's default network" : network,
      isSetUp || network !== null,
    ],
    ["subnet", subnet ?? "none", isSetUp || subnet !== null],
    ["docker", docker !== null ? dockerLine(docker) : dockerIsMissing ? "not installed" : "unknown", true],
    ["options", docker?.options.join(" ") || "none", docker !== null],
    ["service", service === null ? "unknown" : serviceLine(service), hasRouter || hasService],
    ["router", routerLine(status), hasRouter || hasService],
  ];
  const notices: [name: string, value: string][] = [
    ...problems.map((what): [string, string] => ["problem", what]),
    ...pending.map((what): [string, string] => ["pending", what]),
    ...errors.map((message): [string, string] => ["error", message]),
  ];
  const none = errors.length === 0 ? "none" : "none found, but see the errors";
  return [
    ...lines
      .filter(([, , applies]) => applies)
      .map(([name, value]) => `${paint("bold", name.padEnd(WIDTH))}${value}\n`),
    ...notices.map(([name, value]) => `${paint("yellow", name.padEnd(WIDTH))}${value}\n`),
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
  const { device, attached, id, port, local, encryption } = datapath;
  const vxlan = `vxlan ${device}${attached ? "" : " (down, or not attached to the bridge)"}, id ${id}, UDP port ${port}, from ${local}`;
  return `${vxlan}, ${encryption === null ? "not encrypted" : encryptionWords(encryption)}`;
}

function encryptionWords({ device, up, port }: EncryptionStatus): string {
  return `encrypted by WireGuard ${device}${up ? "" : " (down)"}${port === null ? "" : `, UDP port ${port}`}`;
}

function peerWord({ address, state, wireguard }: PeerStatus): string {
  const bytes = wireguard ? ` (${wireguard.received} B received, ${wireguard.sent} B sent, ${wireguard.endpoint})` : "";
  return state === null ? address : `${address} ${state}${bytes}`;
}

function firewallLine(firewall: Status["firewall"]): string {
  if (firewall === null) return "unknown";
  const { drops } = firewall;
  return drops.length === 0 ? "drops none of the network's traffic" : `drops ${drops.join(", ")}`;
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
