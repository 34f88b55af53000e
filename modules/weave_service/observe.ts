import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../core/errors";
import type { FileState, Host } from "../core/host/host";
import { ticksAtStart } from "../core/proc";
import { parseAddresses } from "../formats/iproute";
import { HOST_NAME } from "../net/validators";
import { COMPONENTS } from "./components";
import { dockerRuns, type ObservedContainer, observeContainer, observeOldestApi, parseEnvironment } from "./container";
import { launchedName } from "./environment";
import { detectInit, INIT_SYSTEMS, type InitName, type ObservedUnit } from "./init_system";
import type { ServiceOptions } from "./options";
import { type LiveRouter, observeRouter } from "./router_api";
import { ROUTER_PORTS } from "./shell_steps";
import { expectedScript, readWeaveScript, type WeaveScript } from "./weave_script";

/** The host as weave_service finds it. */
export interface ObservedService {
  readonly init: InitName;
  readonly unit: ObservedUnit;
  readonly environment: FileState | null;
  readonly script: WeaveScript;
  readonly machineId: string;
  /** The host's name, as the kernel has it, and its IPv4 addresses. */
  readonly hostName: string;
  readonly ownAddresses: readonly string[];
  /** The name that the router has, or had at its last launch; null where it never had one. */
  readonly peerName: string | null;
  /** The oldest version of its API that the Docker daemon accepts; null where none runs. */
  readonly oldestDockerApi: string | null;
  /** The component's container; null where there is none, or no Docker to ask. */
  readonly container: ObservedContainer | null;
  /** The environment that the running unit was started with; null where it does not run. */
  readonly startedWith: ReadonlyMap<string, string> | null;
  /** Whether the running unit was started before this run of the module. */
  readonly startedBefore: boolean;
  /** The running router; null where none answers. */
  readonly router: LiveRouter | null;
  /** The router's ports on the bridge that leave checksums to hardware that is not there; null where nobody can tell. */
  readonly unfinishedPorts: readonly string[] | null;
  /** Whether the host has an address on the router's own bridge. */
  readonly exposed: boolean;
}

/** How long a start under way is waited for, in seconds: a restart of Docker has just begun one, say. */
const SETTLE_SECONDS = 30;

/** Looks at the unit, its files, the container and the running router; where a start is under way, at what comes of it. */
export async function observe(options: ServiceOptions, host: Host): Promise<ObservedService> {
  const end = Date.now() + Math.min(options.timeout, SETTLE_SECONDS) * 1000;
  for (;;) {
    const seen = await look(options, host);
    const starting = seen.unit.state === "starting" || (seen.unit.state === "running" && !isReady(options, seen));
    if (!starting || options.state === "absent" || options.state === "stopped" || Date.now() >= end) return seen;
    await sleep(250);
  }
}

/** Whether the component runs and, where it can be asked, answers. */
export function isReady({ component }: ServiceOptions, seen: ObservedService): boolean {
  const answers = component !== "router" || seen.script.generation === "first" || seen.router !== null;
  return seen.container?.running === true && answers;
}

async function look(options: ServiceOptions, host: Host): Promise<ObservedService> {
  const component = COMPONENTS[options.component];
  const init = detectInit(host);
  const unit = INIT_SYSTEMS[init].observe(component, host);
  const docker = dockerRuns(host);
  const script = observeScript(options, host);
  const container = docker ? await observeContainer(component.container, host) : null;
  const running = unit.state === "running";
  const isRouter = options.component === "router";
  const environment = host.readFile(component.environmentPath);
  // One that is to go has nothing to say: it may hang.
  const staying = options.state !== "absent" && options.state !== "stopped";
  const asks = isRouter && staying && container?.running && script.generation !== "first";
  const router = asks ? await observeRouter(host) : null;
  const bridged = isRouter && options.mode === "bridge" && container?.running === true;
  return {
    init,
    unit,
    environment,
    script,
    machineId: host.readText("/etc/machine-id") ?? "",
    hostName: host.readText(HOST_NAME) ?? "",
    ownAddresses: host.addresses(),
    oldestDockerApi: docker ? await observeOldestApi(host) : null,
    container,
    startedWith: running ? environmentOfProcess(unit.pid, host) : null,
    startedBefore: running && startTime(String(unit.pid), host) < startTime("self", host),
    router,
    peerName: launchedName(environment?.content ?? "") ?? router?.name ?? null,
    unfinishedPorts: hasEthtool(host) ? (bridged ? unfinishedPorts(options.bridge, host) : []) : null,
    exposed: isRouter && options.expose && container?.running === true && isExposed(host),
  };
}

function observeScript({ component, state, script, script_version }: ServiceOptions, host: Host): WeaveScript {
  const path = script ?? COMPONENTS[component].script;
  const file = host.readFile(path);
  if (file !== null) return readWeaveScript(file.content);
  if (script_version === null && state !== "stopped" && state !== "absent") {
    throw new UserError(
      `script: there is no ${path} on this host; put the script there (the role weave does, given weave_sha256 or weave_script_file), or say where it is`,
    );
  }
  return expectedScript(script_version);
}

function environmentOfProcess(pid: number, host: Host): ReadonlyMap<string, string> | null {
  const environment = pid > 0 ? host.readText(`/proc/${pid}/environ`) : null;
  return environment === null ? null : parseEnvironment(environment.split("\0"));
}

function startTime(pid: string, host: Host): number {
  return ticksAtStart(host.readText(`/proc/${pid}/stat`) ?? "") ?? Number.NaN;
}

function hasEthtool(host: Host): boolean {
  return ["/usr/sbin", "/sbin", "/usr/bin"].some((folder) => host.readdir(folder).includes("ethtool"));
}

function unfinishedPorts(bridge: string, host: Host): readonly string[] {
  return host
    .readdir(`/sys/class/net/${bridge}/brif`)
    .filter((port) => port.startsWith(ROUTER_PORTS))
    .filter((port) => /^tx-checksumming: on/m.test(host.run(["ethtool", "-k", port], { mayFail: true }).stdout));
}

/** The bridge that the router makes by itself has an address only by `weave expose`. */
function isExposed(host: Host): boolean {
  const { stdout } = host.run(["ip", "-o", "-4", "addr", "show"]);
  return parseAddresses(stdout).some(({ device }) => device === "weave");
}
