import { toBytes } from "../core/bytes";
import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import { environmentValue, renderEnvironment } from "../formats/environment_file";
import { derivedMac } from "../net/validators";
import { COMPONENTS } from "./components";
import type { Environment, ObservedService } from "./observed";
import type { ServiceOptions } from "./options";

/** Names of the environment file's variables. */
export const PASSWORD = "WEAVE_PASSWORD";
export const PEERS = "WEAVE_PEERS";
export const ARGS = "WEAVE_ARGS";

/** The peers in the router's environment file, whoever wrote it. */
export function configuredPeers(host: Host): string[] {
  const content = host.readFile(COMPONENTS.router.environmentPath)?.content ?? "";
  return (environmentValue(content, PEERS) ?? "").split(" ").filter((peer) => peer !== "");
}

/** The variables that a file sets which systemd reads as EnvironmentFile. */
export function variablesOf(content: string): Environment {
  const names = [...content.matchAll(/^\s*([A-Za-z_]\w*)=/gm)].map(([, name = ""]) => name);
  return new Map(names.map((name) => [name, environmentValue(content, name) ?? ""]));
}

/** What the environment depends on besides the options. */
export type EnvironmentInputs = Pick<
  ObservedService,
  "script" | "machineId" | "oldestDockerApi" | "peerName" | "bridgeMtu"
>;

/** The variables for a component's script and the unit that runs it. */
export function environmentOf(options: ServiceOptions, inputs: EnvironmentInputs): Environment {
  const { component, peers, password } = options;
  return new Map([
    [PEERS, sortedPeers(peers).join(" ")],
    [ARGS, launchArguments(options, inputs).join(" ")],
    ["CHECKPOINT_DISABLE", "1"],
    ...(component === "router" ? bridgeVariables(options, inputs) : []),
    ...Object.entries(options.env).map(([name, value]) => [name, toBytes(value)] as const),
    ...dockerApi(options, inputs),
    ...(password === null ? [] : [[PASSWORD, toBytes(password)] as const]),
  ]);
}

/**
 * The router fails if it is asked for the fast datapath on a bridge that it did not create, looks for docker0 unless it is
 * given Docker's bridge, and sets the bridge's MTU to 65535 unless it is given one.
 */
function bridgeVariables({ mode, bridge, mtu }: ServiceOptions, { bridgeMtu }: EnvironmentInputs): [string, string][] {
  if (mode !== "bridge") return [];
  return [
    ["WEAVE_NO_FASTDP", "1"],
    ["DOCKER_BRIDGE", bridge],
    ["WEAVE_MTU", String(mtu ?? bridgeMtu ?? SLEEVE_MTU)],
  ];
}

/** In bytes: what the router's sleeve carries over Ethernet without encryption (weaveworks/weave, router/sleeve.go). */
const SLEEVE_MTU = 1438;

/**
 * The launch arguments. With --no-restart only the unit starts the container; otherwise the script sets a restart policy,
 * by which Docker would start a stopped container again.
 */
function launchArguments(
  options: ServiceOptions,
  { script, machineId, peerName }: EnvironmentInputs,
): readonly string[] {
  const { component, mode, dns, args } = options;
  const noRestart = script.knowsNoRestart ? ["--no-restart"] : [];
  if (component !== "router") return distinct([...noRestart, ...args]);
  const disabled = script.series === "2.0" ? PARTS.filter((part) => part !== mode) : [];
  return distinct([
    ...noRestart,
    // In the mode bridge the router takes its name from weave_bridge's bridge. Its own bridge gets a random MAC each time
    // it is created, and under another name the router would lose its IP allocations, so there the name is given.
    ...(mode === "bridge" ? [] : [`--name=${peerName ?? derivedName(options, machineId)}`]),
    ...disabled.map((part) => `--${part}=false`),
    ...(dns || script.series === "1.0" ? [] : ["--no-dns"]),
    ...args,
  ]);
}

/** A router's name, the same after every boot. Throws a UserError on a host that has nothing to derive it from. */
function derivedName({ mode }: ServiceOptions, machineId: string): string {
  if (machineId !== "") return derivedMac(`${machineId} weave`);
  throw new UserError(
    `mode: ${mode} needs a machine-id, from which the router's name is derived (found none in /etc/machine-id). Run ` +
      "systemd-machine-id-setup.",
  );
}

const PARTS = ["plugin", "proxy"];

/** The minor version of the Docker API that Weave 2.8.1's script and router request; github.com/rajch/weave requests 1.24. */
const WEAVES_DOCKER_API = 18;

/**
 * A Docker daemon that no longer accepts the API version Weave requests must be asked with one that it accepts: by the
 * script, by the container weaveexec that the script runs, and by the router. The containers get only what is in the
 * *_DOCKER_ARGS variables, not the script's environment.
 */
function dockerApi(
  { iptables_backend, env }: ServiceOptions,
  { oldestDockerApi }: EnvironmentInputs,
): [string, string][] {
  const oldest = Number(/^1\.(\d+)$/.exec(oldestDockerApi ?? "")?.[1] ?? 0);
  const variables = [
    ...(oldest > WEAVES_DOCKER_API ? [["DOCKER_API_VERSION", `1.${oldest}`] as const] : []),
    ...(iptables_backend === null ? [] : [["IPTABLES_BACKEND", iptables_backend] as const]),
  ].filter(([name]) => !Object.hasOwn(env, name));
  if (variables.length === 0) return [];
  const flags = variables.map(([name, value]) => `-e ${name}=${value}`);
  const withFlags = (name: string): [string, string] => [name, [...flags, env[name] ?? []].flat().join(" ")];
  return [
    ...variables.map(([name, value]): [string, string] => [name, value]),
    withFlags("WEAVE_DOCKER_ARGS"),
    withFlags("WEAVEEXEC_DOCKER_ARGS"),
  ];
}

/** The router's name that an environment file launches it with, or null. */
export function launchedName(content: string): string | null {
  return /(?:^| )--name=([0-9a-f:]{17})(?: |$)/.exec(environmentValue(content, ARGS) ?? "")?.[1] ?? null;
}

/** The port that an environment file launches the router with (weaveworks/weave 2.8.1, script `weave`). */
export function launchedPort(content: string): number {
  const argument = /(?:^| )--?port[= ](\d+)(?: |$)/.exec(environmentValue(content, ARGS) ?? "")?.[1];
  return Number(argument ?? environmentValue(content, "WEAVE_PORT") ?? "") || DEFAULT_PORT;
}

const DEFAULT_PORT = 6783;

/** Each peer once, sorted, so that the order in an inventory makes no difference. */
export function sortedPeers(peers: readonly string[]): readonly string[] {
  return distinct(peers).sort();
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

/** Renders the unit's EnvironmentFile. */
export function renderEnvironmentFile(environment: Environment): string {
  return renderEnvironment("Ansible managed (weave_service).", environment);
}

/**
 * The names of variables that differ between two environments, except those in `live`. Of variables that are present but
 * not desired only Weave's own are compared.
 */
export function differingVariables(desired: Environment, present: Environment, live: readonly string[]): string[] {
  const known = [...desired.keys(), ...[...present.keys()].filter((name) => /^(WEAVE|DOCKER|IPTABLES)/.test(name))];
  return distinct(known).filter(
    (name) => !live.includes(name) && (present.get(name) ?? "") !== (desired.get(name) ?? ""),
  );
}

/** A line that renderEnvironmentFile() may write, of a variable that holds no secret. */
const OWN_LINE =
  /^(?:# Ansible managed \(weave_service\)\.|(?:WEAVE_PEERS|WEAVE_ARGS|WEAVE_NO_FASTDP|DOCKER_BRIDGE|WEAVE_MTU|CHECKPOINT_DISABLE|DOCKER_API_VERSION|IPTABLES_BACKEND)="[^"]*")?$/;

/**
 * An environment file as a diff may show it: instead of the password only whether it is the desired one. A file that
 * something else wrote may have a password anywhere, so lines that this module does not write are hidden.
 */
export function redactEnvironmentFile(content: string, desired: string): string {
  const isPassword = (line: string): boolean => line.startsWith(`${PASSWORD}=`);
  const passwordLine = (text: string): string | undefined => text.split("\n").find(isPassword);
  const which = passwordLine(content) === passwordLine(desired) ? "the desired one" : "another one";
  const desiredLines = new Set(desired.split("\n"));
  const redactLine = (line: string): string => {
    if (isPassword(line)) return `${PASSWORD}=(${which}, not shown)`;
    const known = OWN_LINE.test(line) || desiredLines.has(line);
    return known && !/password/i.test(line) ? line : "(another line, not shown)";
  };
  return content.split("\n").map(redactLine).join("\n");
}
