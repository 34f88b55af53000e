import { environmentValue, renderEnvironment } from "../formats/environment_file";
import { derivedMac } from "../net/validators";
import type { ServiceOptions } from "./options";
import type { WeaveScript } from "./weave_script";

const PASSWORD = "WEAVE_PASSWORD";
export const PEERS = "WEAVE_PEERS";
export const ARGS = "WEAVE_ARGS";

/** What the environment depends on beside the options. */
export interface Surroundings {
  readonly script: WeaveScript;
  /** /etc/machine-id. */
  readonly machineId: string;
  /** The oldest version of its API that the Docker daemon accepts; null where that is not known. */
  readonly oldestDockerApi: string | null;
  /** The name that the router has, or had at its last launch; null where it never had one. */
  readonly peerName: string | null;
}

export type Environment = ReadonlyMap<string, string>;

/** What a component's script and the unit that runs it read. */
export function environmentOf(options: ServiceOptions, surroundings: Surroundings): Environment {
  const { component, peers, password } = options;
  return new Map([
    [PEERS, inOrder(peers).join(" ")],
    [ARGS, launchArguments(options, surroundings).join(" ")],
    ["CHECKPOINT_DISABLE", "1"],
    ...(component === "router" ? bridgeVariables(options) : []),
    ...Object.entries(options.env).map(([name, value]) => [name, bytesOf(value)] as const),
    ...dockerApi(options, surroundings),
    ...(password === null ? [] : [[PASSWORD, bytesOf(password)] as const]),
  ]);
}

/**
 * On a bridge made before it the router must not ask for its fast datapath; there is no docker0 to look at; and it sets the
 * bridge's MTU by what it is told.
 */
function bridgeVariables({ mode, bridge, mtu }: ServiceOptions): [string, string][] {
  if (mode !== "bridge") return [];
  return [
    ["WEAVE_NO_FASTDP", "1"],
    ["DOCKER_BRIDGE", bridge],
    ["WEAVE_MTU", String(mtu)],
  ];
}

/**
 * Arguments of the launch. The unit alone is to start what it launches: by the restart policy that scripts give containers
 * unless told --no-restart, one that was stopped would come back with the next start of Docker.
 */
function launchArguments(options: ServiceOptions, { script, machineId, peerName }: Surroundings): readonly string[] {
  const { component, mode, dns, args } = options;
  const noRestart = script.knowsNoRestart ? ["--no-restart"] : [];
  if (component !== "router") return distinct([...noRestart, ...args]);
  const within = script.generation === "third" ? PARTS.filter((part) => part !== mode) : [];
  return distinct([
    ...noRestart,
    // On weave_bridge's bridge the router takes its name from that; a bridge of its own may be made anew with another. With
    // another name a router would lose the addresses that it owns, so one that it has is kept.
    ...(mode === "bridge" ? [] : [`--name=${peerName ?? derivedMac(`${machineId} weave`)}`]),
    ...within.map((part) => `--${part}=false`),
    ...(dns || script.generation === "first" ? [] : ["--no-dns"]),
    ...args,
  ]);
}

const PARTS = ["plugin", "proxy"];

/** What Weave 2.8.1's script and router ask for; its successor's ask for 1.24. */
const WEAVES_DOCKER_API = 18;

/**
 * A daemon that accepts no version as old as Weave asks for has to be asked with one that it accepts: by the script, by the
 * container that the script runs its verbs in, and by the router. That container gets no other variable from the script.
 */
function dockerApi({ iptables_backend, env }: ServiceOptions, { oldestDockerApi }: Surroundings): [string, string][] {
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

/** Takes an environment file's content; returns the name that the router is launched with, or null. */
export function launchedName(content: string): string | null {
  return /(?:^| )--name=([0-9a-f:]{17})(?: |$)/.exec(environmentValue(content, ARGS) ?? "")?.[1] ?? null;
}

/** Takes peers; returns each once, in an order that no inventory's order shows in. */
export function inOrder(peers: readonly string[]): readonly string[] {
  return distinct(peers).sort();
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

/** Renders the file that the unit reads the environment from. */
export function renderEnvironmentFile(environment: Environment): string {
  return renderEnvironment("Written by Ansible's weave_service.", environment);
}

/** The variables that are not as they are wanted; their values may be secret. A running router is told of its peers live. */
export function differingVariables(wanted: Environment, present: Environment, live: readonly string[]): string[] {
  const known = [...wanted.keys(), ...[...present.keys()].filter((name) => /^(WEAVE|DOCKER|IPTABLES)/.test(name))];
  return distinct(known).filter(
    (name) => !live.includes(name) && (present.get(name) ?? "") !== (wanted.get(name) ?? ""),
  );
}

/** Files and the kernel's texts have one character a byte. */
export function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** A line as renderEnvironmentFile() writes it, of a variable that is no secret. */
const OWN_LINE =
  /^(?:# Written by Ansible's weave_service\.|(?:WEAVE_PEERS|WEAVE_ARGS|WEAVE_NO_FASTDP|DOCKER_BRIDGE|WEAVE_MTU|CHECKPOINT_DISABLE|DOCKER_API_VERSION|IPTABLES_BACKEND)="[^"]*")?$/;

/**
 * Takes an environment file's content and the wanted one; returns what a diff may show of the first: whether there is a
 * password, and if it is the wanted one. Another's file may have a password anywhere, so that of its lines only those that
 * this module writes too are shown.
 */
export function withoutPassword(content: string, wanted: string): string {
  const ofPassword = (line: string): boolean => line.startsWith(`${PASSWORD}=`);
  const find = (text: string): string | undefined => text.split("\n").find(ofPassword);
  const which = find(content) === find(wanted) ? "the wanted one" : "another one";
  const wantedLines = new Set(wanted.split("\n"));
  const shown = (line: string): string => {
    if (ofPassword(line)) return `${PASSWORD}=(${which}, not shown)`;
    const known = OWN_LINE.test(line) || wantedLines.has(line);
    return known && !/password/i.test(line) ? line : "(another line, not shown)";
  };
  return content.split("\n").map(shown).join("\n");
}
