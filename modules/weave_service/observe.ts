import { setTimeout as sleep } from "node:timers/promises";
import { isDockerRunning, oldestApiVersion } from "../core/docker";
import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import { environmentOfProcess, startTicks } from "../core/proc";
import { parseAddresses } from "../formats/iproute";
import { HOST_NAME } from "../net/own_host";
import { machineId } from "../net/validators";
import { COMPONENTS } from "./components";
import { observeContainer } from "./container";
import { launchedName } from "./environment";
import { detectInit, INIT_SYSTEMS } from "./init/detect";
import { ROUTER_PORTS } from "./init/steps";
import { isReady, type ObservedService } from "./observed";
import type { ServiceOptions } from "./options";
import { observeRouter } from "./router_api";
import { expectedScript, readWeaveScript, type WeaveScript } from "./script";

/** How long to wait for a start in progress, in seconds. A restart of Docker may just have begun one. */
const WAIT_SECONDS = 30;

/**
 * Observes the unit, its files, its container and the running router. If the component is just starting, waits until it
 * is ready. Throws a UserError if the script is not found, or Docker or systemd does not answer.
 */
export async function observe(options: ServiceOptions, host: Host): Promise<ObservedService> {
  const end = Date.now() + Math.min(options.timeout, WAIT_SECONDS) * 1000;
  for (;;) {
    const observed = await observeNow(options, host);
    const { state } = observed.unit;
    const starting = state === "starting" || (state === "running" && !isReady(options, observed));
    if (!starting || isEnding(options) || Date.now() >= end) return observed;
    await sleep(250);
  }
}

async function observeNow(options: ServiceOptions, host: Host): Promise<ObservedService> {
  const component = COMPONENTS[options.component];
  const init = detectInit(host);
  const unit = INIT_SYSTEMS[init].observe(component, host);
  const docker = isDockerRunning(host);
  const script = observeScript(options, host);
  const container = docker ? await observeContainer(component.container, host) : null;
  const isRouter = options.component === "router";
  const environment = host.readFile(component.environmentPath);
  // A router that is to be stopped is not asked: it may hang.
  const asks = isRouter && !isEnding(options) && container?.running && script.generation !== "first";
  const router = asks ? await observeRouter(host) : null;
  const bridged = isRouter && options.mode === "bridge" && container?.running === true;
  return {
    init,
    unit,
    environment,
    script,
    machineId: machineId(host.readText("/etc/machine-id")),
    ownHost: { hostName: host.readText(HOST_NAME) ?? "", addresses: host.addresses() },
    oldestDockerApi: docker ? await oldestApiVersion(host) : null,
    container,
    startedWith: unit.state === "running" ? environmentOfProcess(unit.pid, host) : null,
    startedBefore: unit.state === "running" && startTime(unit.pid, host) < startTime("self", host),
    router,
    peerName: launchedName(environment?.content ?? "") ?? router?.name ?? null,
    offloadingPorts: hasEthtool(host) ? (bridged ? offloadingPorts(options.bridge, host) : []) : null,
    exposed: isRouter && options.expose && container?.running === true && isExposed(host),
  };
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
