import { hasLiveRestore, installedVersion } from "../core/docker";
import { inspectForRestart, type ListedContainer, listContainers } from "../core/docker_containers";
import { DEFAULT_NETWORK, listMembers, listNetworks } from "../core/docker_networks";
import { orNull, UserError, withSubject } from "../core/errors";
import type { Host } from "../core/host/host";
import type { IfInTransition } from "../core/module";
import { commandLineOf, startTicks } from "../core/proc";
import { rememberSecretsIn } from "../core/redact";
import { isSystemdBooted } from "../core/systemctl";
import { daemonKeys, daemonOptions, hasByteOrderMark } from "../formats/daemon_json";
import { configPathOf, parseDockerWords } from "../formats/docker_flags";
import { type DockerFlags, isAtLeast } from "../formats/docker_options";
import { parseAddresses } from "../formats/iproute";
import { currentConfiguration, flagsOf } from "./configuration";
import { defaultNetworkFlags } from "./default_network";
import { bridgeOf } from "./desired";
import { bridgeToManage, desiredNetwork, NETWORK_RECORD, staleNetworks } from "./network";
import type { Container, ObservedDocker, RunningDaemon, SavedConfiguration } from "./observed";
import type { DockerOptions } from "./options";
import { desiredOfDaemon, pendingRestart } from "./pending_restart";
import { readSavedConfiguration } from "./restart/rollback";
import { isDocker, VARIABLE } from "./service/command_line";
import { type DockerService, DROP_IN_PATH, pidFileOf } from "./service/docker_service";
import { observeService } from "./service/observe_service";

/** A file and its content, "" if it does not exist. */
interface ConfigFile {
  readonly path: string;
  readonly content: string;
}

/**
 * Observes where dockerd reads its options, what the running daemon has, and the bridge's address unless that is given.
 * Throws a UserError if Docker is not installed, or a file can't be read as dockerd would read it.
 */
export async function observe(
  options: DockerOptions,
  host: Host,
  ifInTransition: IfInTransition = "wait",
): Promise<ObservedDocker> {
  const bridge = bridgeOf(options);
  const service = await observeService(host, ifInTransition, options.state === "absent");
  const optionsFile = host.readFile(service.filePath);
  const dropIn = host.readFile(DROP_IN_PATH);
  const dockerOptsIsRead =
    service.readsFile || options.location === "docker_opts" || readsOptionsFile(dropIn?.content ?? "");
  const configPath = configPathOf(currentFlags({ service, optionsFile, dockerOptsIsRead }, host));
  const config = host.readFile(configPath);
  const configFile = { path: configPath, content: config?.content ?? "" };
  // dockerd's log may show them.
  rememberSecretsIn([...textsOfUnit(service), optionsFile?.content, dropIn?.content, config?.content].join("\n"));
  const saved = readSavedConfiguration(host);
  const daemon = await observeDaemon(service.pid, host, configFile, saved);
  const mayRestart = options.state !== "present" || pendingRestart(desiredOfDaemon(options, daemon), daemon).length > 0;
  const hasStopped = saved !== null && saved.stopped.length > 0;
  const running = daemon?.version ?? null;
  const version =
    daemon === null || (running !== null && isReplaced(service.pid, host)) ? installedVersion(host) : running;
  requireReadable(configFile, version);
  const bridgeAddresses = bridge === null || options.bridge_address !== null ? [] : addressesOf(bridge, host);
  const daemonWithMembers = daemon === null ? null : await withMembers(daemon, options, bridgeAddresses, host);
  return {
    service,
    optionsFile,
    dockerOptsIsRead,
    dropIn,
    configPath,
    config,
    daemon:
      daemonWithMembers !== null && (mayRestart || hasStopped)
        ? await withContainers(daemonWithMembers, host)
        : daemonWithMembers,
    version,
    cgroupDriver: hasUnifiedCgroups(host) && isSystemdBooted(host) ? "systemd" : "cgroupfs",
    saved,
    calledAt: startTicks("self", host) ?? 0,
    bridgeAddresses,
    networkRecord: bridgeToManage(options) === null ? null : host.readFile(NETWORK_RECORD),
  };
}

/** Whether cgroups are only those of version 2 (moby, daemon/daemon_unix.go, UsingSystemd): their root has this file then. */
function hasUnifiedCgroups(host: Host): boolean {
  return host.readText("/sys/fs/cgroup/cgroup.controllers") !== null;
}

/** Whether this module's drop-in makes the service read DOCKER_OPTS. */
function readsOptionsFile(dropIn: string): boolean {
  return dropIn.includes(`$${VARIABLE}`) || /^EnvironmentFile=./m.test(dropIn);
}

/** The flags of the command line; those of the running daemon where they can't be computed. */
function currentFlags(
  start: Pick<ObservedDocker, "service" | "optionsFile" | "dockerOptsIsRead">,
  host: Host,
): DockerFlags {
  const configured = orNull(() => flagsOf(currentConfiguration({ ...start, config: null })));
  const [, ...words] = configured === null ? (commandLineOf(start.service.pid, host) ?? []) : [];
  return configured ?? parseDockerWords(words);
}

/** From this version on, Docker skips a byte order mark (daemon/config/config.go of moby). */
const SKIPS_MARK_SINCE = 23;

function requireReadable({ path, content }: ConfigFile, version: string | null): void {
  withSubject(path, () => daemonKeys(content));
  if (hasByteOrderMark(content) && !isAtLeast(version, SKIPS_MARK_SINCE)) {
    throw new UserError(
      `${path}: must not begin with a byte order mark with Docker before 23.0 (found one, and Docker ${version ?? "of an unknown version"}). Remove it (sed -i '1s/^\\xef\\xbb\\xbf//').`,
    );
  }
}

/** Observes the daemon of this process id; null if the process is not dockerd. */
async function observeDaemon(
  pid: number,
  host: Host,
  config: ConfigFile,
  saved: SavedConfiguration | null,
): Promise<RunningDaemon | null> {
  const commandLine = commandLineOf(pid, host);
  const startedAt = startTicks(pid, host);
  if (commandLine === null || startedAt === null) return null;
  const [called = "", ...words] = commandLine;
  // ExecStart=@ gives the program any name.
  const program = isDocker(called) ? called : programOf(pid, called, host);
  // The pid file of a daemon that was killed stays, and its process id is used again.
  if (!isDocker(program)) return null;
  const flags = parseDockerWords(words);
  const id = `${host.readText("/proc/sys/kernel/random/boot_id")} ${pid} ${startedAt}`;
  const pidFile = pidFileOf(new Map([...(optionsOrNone(config.content) ?? []), ...flags]));
  const { networks, version } = await listNetworks(host);
  const network = networks?.find(({ name }) => name === DEFAULT_NETWORK);
  return {
    id,
    startedAt,
    command: [program.startsWith("/") ? program : programOf(pid, program, host), ...words],
    flags,
    pidFile,
    configAtStart: findConfigAtStart(id, host, config, saved, configReadAt(pid, startedAt, pidFile, host)),
    defaultNetwork: network === undefined ? null : defaultNetworkFlags(network),
    networks: networks?.map((each) => ({ ...each, members: null })) ?? null,
    containers: null,
    liveRestore: false,
    version,
  };
}

/** The path of a process's program, which a shell that started it may have found by its name. An upgrade deletes a running program. */
function programOf(pid: number, name: string, host: Host): string {
  return host.readlink(`/proc/${pid}/exe`)?.replace(/ \(deleted\)$/, "") ?? name;
}

/** Whether an upgrade has replaced the program of a process, so that the next start runs another one. */
function isReplaced(pid: number, host: Host): boolean {
  return host.readlink(`/proc/${pid}/exe`)?.endsWith(" (deleted)") ?? false;
}

/** The texts that decide how the service starts dockerd. */
function textsOfUnit({ unit }: DockerService): string[] {
  const files = unit === null ? [] : [...unit.files, ...[...unit.environmentFiles.values()].flat()];
  return files.map(({ content }) => content);
}

/** Adds the containers of the networks that are to go. */
async function withMembers(
  daemon: RunningDaemon,
  options: DockerOptions,
  bridgeAddresses: readonly string[],
  host: Host,
): Promise<RunningDaemon> {
  const bridge = bridgeToManage(options);
  const { networks } = daemon;
  if (bridge === null || networks === null) return daemon;
  const stale = staleNetworks(networks, bridge, desiredNetwork(options, bridgeAddresses));
  const members = stale.length > 0 ? await listMembers(stale, host) : null;
  return { ...daemon, networks: networks.map((each) => ({ ...each, members: members?.get(each.id) ?? null })) };
}

/** Adds what a restart would interrupt. */
async function withContainers(daemon: RunningDaemon, host: Host): Promise<RunningDaemon> {
  const [containers, liveRestore] = await Promise.all([listContainers(host), hasLiveRestore(host)]);
  // A plain restart stops them without this module, which has nothing to start then.
  const listed =
    containers === null ? null : await Promise.all(containers.map((each) => toContainer(each, liveRestore, host)));
  return { ...daemon, containers: listed, liveRestore };
}

/**
 * dockerd reads daemon.json only when it starts. If this module has changed it since, the content from before is saved. A
 * file that has changed since the daemon wrote its pid file was changed by somebody else, and what was in it is unknown. The
 * time of the last change is compared (ctime), as anybody can set that of the last modification.
 */
function findConfigAtStart(
  id: string,
  host: Host,
  { path, content }: ConfigFile,
  saved: SavedConfiguration | null,
  started: number | null,
): DockerFlags | null {
  if (saved?.daemon === id) {
    return saved.configWasRead ? daemonOptions(saved.files.find((file) => file.path === path)?.content ?? "") : null;
  }
  const changed = host.changedAt(path);
  // A time in the future says nothing: the clock was wrong.
  const newer = changed !== null && started !== null && changed > started && changed <= Date.now();
  return newer ? null : optionsOrNone(content);
}

/** A content that dockerd can't have read is reported elsewhere. */
function optionsOrNone(content: string): DockerFlags | null {
  return orNull(() => daemonOptions(content));
}

const TICKS_PER_SECOND = 100;
/** How long after its start dockerd may read daemon.json, as the time of the boot is known to the second. */
const READ_MILLISECONDS = 2000;
/** How long after its start dockerd may write its pid file. */
const START_MILLISECONDS = 60_000;

/**
 * When the daemon read daemon.json, in milliseconds since 1970: just before it wrote its pid file, unless that was changed later
 * or belongs to another daemon.
 */
function configReadAt(pid: number, startedAt: number, pidFile: string, host: Host): number | null {
  const isOurs = Number(host.readText(pidFile)) === pid;
  const written = isOurs ? host.changedAt(pidFile) : null;
  const booted = /^btime (\d+)$/m.exec(host.readText("/proc/stat") ?? "")?.[1];
  if (booted === undefined) return written;
  const started = Number(booted) * 1000 + (startedAt / TICKS_PER_SECOND) * 1000;
  return written === null || written > started + START_MILLISECONDS ? started + READ_MILLISECONDS : written;
}

/** A container as Docker lists it. Weave's own are identified by the names that the script gives them. */
async function toContainer({ id, names }: ListedContainer, liveRestore: boolean, host: Host): Promise<Container> {
  const name = names[0]?.replace(/^\//, "") ?? id.slice(0, 12);
  const belongsToWeave = names.some((each) => /^\/weave(dns|plugin|proxy|scope)?$/.test(each));
  return { id, name, belongsToWeave, ...(liveRestore && (await inspectForRestart(id, host))) };
}

function addressesOf(bridge: string, host: Host): string[] {
  const { stdout } = host.run(["ip", "-o", "-4", "addr", "show"]);
  return parseAddresses(stdout)
    .filter(({ device }) => device === bridge)
    .map(({ cidr }) => cidr);
}
