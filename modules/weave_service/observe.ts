import { setTimeout as sleep } from "node:timers/promises";
import { toText } from "../core/bytes";
import { dockerPid, isDockerInstalled, oldestApiOfInstalled, oldestApiVersion } from "../core/docker";
import { UserError } from "../core/errors";
import type { FileState, Host } from "../core/host/host";
import { whyNotLoadable } from "../core/kernel_module";
import { type IfInTransition, InTransition } from "../core/module";
import { environmentOfProcess, NET_DEVICES, startTicks } from "../core/proc";
import { pathOfProgram, programsOf } from "../core/programs";
import { rememberSecretsIn } from "../core/redact";
import { rememberSecret } from "../core/secrets";
import { environmentValue } from "../formats/environment_file";
import { parseAddresses } from "../formats/iproute";
import { countRules, readFilterTable } from "../net/forward_rule";
import { HOST_NAME } from "../net/own_host";
import { readMachineId } from "../net/validators";
import { COMPONENTS, EXPOSE } from "./components";
import { observeContainer } from "./container";
import { launchedName, launchedPort, PASSWORD, variablesOf } from "./environment";
import { detectInit, INIT_SYSTEMS } from "./init/detect";
import { type InitSystem, NO_UNIT } from "./init/init_system";
import { FORWARD_RULE, ROUTER_DEVICE_PREFIX, ROUTERS_BRIDGE } from "./init/steps";
import { NO_LEFTOVERS, observeLeftovers } from "./leftovers";
import { type Environment, isReady, isWaitingToExpose, type ObservedService, quorum } from "./observed";
import { isEnding, type ServiceOptions } from "./options";
import { type Control, controlOf, exposedAddresses, observeRouter } from "./router_api";
import { readWeaveScript, scriptOfVersion, type WeaveScript } from "./script";

/** How long to wait for a start or stop in progress, in seconds. A restart of Docker may just have begun one. */
const WAIT_SECONDS = 30;

/** How long to wait for the host's address while the router knows too few peers, in seconds. Others may just be connecting. */
const FEW_PEERS_SECONDS = 5;

/**
 * Observes the unit, its files, its container and the running router. If the component is just starting or stopping, waits until it
 * is ready or has ended. Throws a UserError if the script is not found, or Docker or systemd does not answer.
 */
export async function observe(
  options: ServiceOptions,
  host: Host,
  ifInTransition: IfInTransition = "wait",
): Promise<ObservedService> {
  const start = Date.now();
  for (;;) {
    const observed = await observeNow(options, host);
    const seconds = Math.min(options.timeout, secondsToWait(options, observed));
    if (Date.now() >= start + seconds * 1000) return observed;
    if (ifInTransition === "fail") throw new InTransition();
    await sleep(250);
  }
}

function secondsToWait(options: ServiceOptions, observed: ObservedService): number {
  if (isInProgress(options, observed)) return WAIT_SECONDS;
  if (!isWaitingToExpose(observed) || observed.router === null) return 0;
  const { needed, found } = quorum(observed.router);
  return found < needed ? FEW_PEERS_SECONDS : WAIT_SECONDS;
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
  const isRouter = options.component === "router";
  const exposes = isRouter && needsExposeUnit(options, INIT_SYSTEMS[init], host);
  const [unit = NO_UNIT, exposeUnit = NO_UNIT] = INIT_SYSTEMS[init].observe(
    exposes ? [component, EXPOSE] : [component],
    host,
  );
  const programs = programsOf(host);
  const docker = dockerPid(host) !== null ? "running" : isDockerInstalled(programs, host) ? "stopped" : "not installed";
  const script = observeScript(options, host);
  const container = docker === "running" ? await observeContainer(component.container, host) : null;
  const dockerClient = pathOfProgram("docker", host);
  // Debian 13 and newer have the client in its own package.
  if (docker !== "not installed" && dockerClient === null && (container !== null || !isEnding(options))) {
    throw new UserError(
      `component: the ${options.component} needs Docker's client, which its script and its unit run (found no program docker). ` +
        "Install it (apt install docker-cli).",
    );
  }
  const environment = host.readFile(component.environmentPath);
  const formerPath = `/etc/weave.${host.readText(HOST_NAME) ?? ""}.env`;
  const former = isRouter && !isEnding(options) ? host.readFile(formerPath) : null;
  const startedWith = unit.state === "running" ? environmentOfProcess(unit.pid, host) : null;
  rememberSecrets([environment, former, unit.file], [container?.environment, startedWith], container?.args ?? []);
  const api = isRouter && container?.running ? controlOf(container) : null;
  const control = script.hasReport ? api : null;
  // A router that is to be stopped is not asked: it may hang.
  const router = control !== null && !isEnding(options) ? await observeRouter(host, control) : null;
  // A router that does not answer is not asked twice. Without a report (up to 1.1) it answers for addresses as later ones do.
  const asked = isEnding(options) || (control !== null && router === null) ? null : api;
  const bridged = isRouter && options.mode === "bridge" && container?.running === true;
  return {
    init,
    unit,
    environment,
    formerEnvironment: former && { path: formerPath, variables: variablesOf(former.content) },
    script,
    machineId: readMachineId(host),
    ownHost: { hostName: host.readText(HOST_NAME) ?? "", addresses: host.addresses() },
    docker,
    dockerClient,
    // A request to Docker's socket could start it.
    oldestDockerApi: docker === "running" ? await oldestApiVersion(host) : oldestApiOfInstalled(host),
    container,
    startedWith,
    startedBefore: unit.state === "running" && startTime(unit.pid, host) < startTime("self", host),
    router,
    control,
    peerName: launchedName(environment?.content ?? "") ?? router?.name ?? null,
    offloadingPorts: programs.has("ethtool") ? (bridged ? offloadingPorts(options.bridge, host) : []) : null,
    exposed: options.expose && asked !== null && (await isExposed(host, asked)),
    exposeUnit: isRouter ? exposeUnit : null,
    bridgeMtu: isRouter && options.mode === "bridge" ? mtuOf(options.bridge, host) : null,
    forwardRuleCount:
      isRouter && (options.mode !== "bridge" || options.state === "absent") && programs.has("iptables")
        ? countRules(FORWARD_RULE.rule(ROUTERS_BRIDGE), options.state !== "absent", readFilterTable(host))
        : null,
    noFastDatapath: isRouter ? whyNoFastDatapath(options, programs, host) : null,
    ...(isRouter && options.state === "absent"
      ? observeLeftovers(launchedPort(environment?.content ?? ""), programs, host)
      : NO_LEFTOVERS),
  };
}

/** Remembers the passwords of past launches, which a log may show. Contents and environments have one character per byte. */
function rememberSecrets(
  files: readonly (FileState | null)[],
  environments: readonly (Environment | null | undefined)[],
  args: readonly string[],
): void {
  for (const file of files) {
    rememberSecretsIn(toText(file?.content ?? ""));
    rememberSecret(toText(environmentValue(file?.content ?? "", PASSWORD) ?? ""));
  }
  for (const environment of environments) rememberSecret(toText(environment?.get(PASSWORD) ?? ""));
  rememberSecretsIn(args.join(" "));
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
  return scriptOfVersion(options.script_version);
}

function startTime(pid: number | "self", host: Host): number {
  return startTicks(pid, host) ?? Number.NaN;
}

/** Whether the unit EXPOSE is asked for, or exists. Most hosts have none. */
function needsExposeUnit({ expose }: ServiceOptions, init: InitSystem, host: Host): boolean {
  return expose || host.readFile(init.pathOf(EXPOSE)) !== null;
}

function mtuOf(device: string, host: Host): number | null {
  const text = host.readText(`${NET_DEVICES}/${device}/mtu`);
  return text === null ? null : Number(text);
}

/** The router asks the kernel for Open vSwitch's datapath by this alias (net/openvswitch/datapath.c). */
function whyNoFastDatapath(
  { mode, env, state }: ServiceOptions,
  programs: ReadonlySet<string>,
  host: Host,
): string | null {
  const asked =
    mode !== "bridge" && (env["WEAVE_NO_FASTDP"] ?? "") === "" && (state === "started" || state === "restarted");
  if (!asked) return null;
  return whyNotLoadable("openvswitch", "net-pf-16-proto-16-family-ovs_datapath", programs, host);
}

function offloadingPorts(bridge: string, host: Host): readonly string[] {
  return host
    .readdir(`${NET_DEVICES}/${bridge}/brif`)
    .filter((port) => port.startsWith(ROUTER_DEVICE_PREFIX))
    .filter((port) => /^tx-checksumming: on/m.test(host.run(["ethtool", "-k", port], { mayFail: true }).stdout));
}

/** The router's bridge may have addresses that others gave it: Docker gives one to the bridge of its former default network. */
async function isExposed(host: Host, control: Control): Promise<boolean> {
  const given = await exposedAddresses(host, control);
  if (given.length === 0) return false;
  const { stdout } = host.run(["ip", "-o", "-4", "addr", "show"]);
  return parseAddresses(stdout).some(({ device, cidr }) => device === ROUTERS_BRIDGE && given.includes(cidr));
}
