import { setTimeout as sleep } from "node:timers/promises";
import { isDockerInstalled, isDockerRunning, oldestApiOfInstalled, oldestApiVersion } from "../core/docker";
import { UserError } from "../core/errors";
import type { FileState, Host } from "../core/host/host";
import type { Patience } from "../core/module";
import { environmentOfProcess, startTicks } from "../core/proc";
import { rememberSecretsIn } from "../core/redact";
import { rememberSecret } from "../core/secrets";
import { environmentValue } from "../formats/environment_file";
import { parseAddresses } from "../formats/iproute";
import { HOST_NAME } from "../net/own_host";
import { machineId } from "../net/validators";
import { COMPONENTS } from "./components";
import { observeContainer } from "./container";
import { launchedName, PASSWORD } from "./environment";
import { detectInit, INIT_SYSTEMS } from "./init/detect";
import { ROUTER_PORTS } from "./init/steps";
import { type Environment, isReady, type ObservedService } from "./observed";
import type { ServiceOptions } from "./options";
import { controlOf, observeRouter } from "./router_api";
import { expectedScript, readWeaveScript, type WeaveScript } from "./script";

/** How long to wait for a start or stop in progress, in seconds. A restart of Docker may just have begun one. */
const WAIT_SECONDS = 30;

/**
 * Observes the unit, its files, its container and the running router. If the component is just starting or stopping, waits until it
 * is ready or has ended. Throws a UserError if the script is not found, or Docker or systemd does not answer.
 */
export async function observe(
  options: ServiceOptions,
  host: Host,
  patience: Patience = "waits",
): Promise<ObservedService> {
  const end = Date.now() + Math.min(options.timeout, WAIT_SECONDS) * 1000;
  for (;;) {
    const observed = await observeNow(options, host);
    if (!isInProgress(options, observed) || Date.now() >= end) return observed;
    if (patience === "at once")
      throw new UserError(`${options.component}: its unit is ${observed.unit.state}. Wait until it is not.`);
    await sleep(250);
  }
}

/** A start that is to be stopped is not waited for. */
function isInProgress(options: ServiceOptions, observed: ObservedService): boolean {
  const { state } = observed.unit;
  const starting = state === "starting" || (state === "running" && !isReady(options, observed));
  return state === "stopping" || (starting && !isEnding(options));
}

async function observeNow(options: ServiceOptions, host: Host): Promise<ObservedService> {
  const component = COMPONENTS[options.component];
  const init = detectInit(host);
  const unit = INIT_SYSTEMS[init].observe(component, host);
  const docker = isDockerRunning(host) ? "running" : isDockerInstalled(host) ? "stopped" : "not installed";
  const script = observeScript(options, host);
  const container = docker === "running" ? await observeContainer(component.container, host) : null;
  const isRouter = options.component === "router";
  const environment = host.readFile(component.environmentPath);
  const startedWith = unit.state === "running" ? environmentOfProcess(unit.pid, host) : null;
  rememberSecrets([environment, unit.file], [container?.environment, startedWith], container?.args ?? []);
  const control = isRouter && container?.running && script.generation !== "first" ? controlOf(container) : null;
  // A router that is to be stopped is not asked: it may hang.
  const router = control !== null && !isEnding(options) ? await observeRouter(host, control) : null;
  const bridged = isRouter && options.mode === "bridge" && container?.running === true;
  return {
    init,
    unit,
    environment,
    script,
    machineId: machineId(host.readText("/etc/machine-id")),
    ownHost: { hostName: host.readText(HOST_NAME) ?? "", addresses: host.addresses() },
    docker,
    // A request to Docker's socket could start it.
    oldestDockerApi: docker === "running" ? await oldestApiVersion(host) : oldestApiOfInstalled(host),
    container,
    startedWith,
    startedBefore: unit.state === "running" && startTime(unit.pid, host) < startTime("self", host),
    router,
    control,
    peerName: launchedName(environment?.content ?? "") ?? router?.name ?? null,
    offloadingPorts: hasEthtool(host) ? (bridged ? offloadingPorts(options.bridge, host) : []) : null,
    exposed: isRouter && options.expose && container?.running === true && isExposed(host),
  };
}

/** The passwords of the launches so far: a journal may show them. Contents and environments have one character a byte. */
function rememberSecrets(
  files: readonly (FileState | null)[],
  environments: readonly (Environment | null | undefined)[],
  args: readonly string[],
): void {
  const asText = (bytes: string): string => Buffer.from(bytes, "latin1").toString("utf8");
  for (const file of files) {
    rememberSecretsIn(asText(file?.content ?? ""));
    rememberSecret(asText(environmentValue(file?.content ?? "", PASSWORD) ?? ""));
  }
  for (const environment of environments) rememberSecret(asText(environment?.get(PASSWORD) ?? ""));
  rememberSecretsIn(args.join(" "));
}

function isEnding({ state }: ServiceOptions): boolean {
  return state === "absent" || state === "stopped";
}

function observeScript(options: ServiceOptions, host: Host): WeaveScript {
  const path = options.script ?? COMPONENTS[options.component].script;
  const file = host.readFile(path);
  if (file !== null) return readWeaveScript(file.content);
  if (options.script_version === null && !isEnding(options)) {
    throw new UserError(
      `script: must be the weave script's path on this host (found no file ${path}). Copy the script there, or correct the path.`,
    );
  }
  return expectedScript(options.script_version);
}

function startTime(pid: number | "self", host: Host): number {
  return startTicks(pid, host) ?? Number.NaN;
}

function hasEthtool(host: Host): boolean {
  return ["/usr/sbin", "/sbin", "/usr/bin"].some((directory) => host.readdir(directory).includes("ethtool"));
}

function offloadingPorts(bridge: string, host: Host): readonly string[] {
  return host
    .readdir(`/sys/class/net/${bridge}/brif`)
    .filter((port) => port.startsWith(ROUTER_PORTS))
    .filter((port) => /^tx-checksumming: on/m.test(host.run(["ethtool", "-k", port], { mayFail: true }).stdout));
}

/** The router's own bridge has an address only after `weave expose`. */
function isExposed(host: Host): boolean {
  const { stdout } = host.run(["ip", "-o", "-4", "addr", "show"]);
  return parseAddresses(stdout).some(({ device }) => device === "weave");
}
