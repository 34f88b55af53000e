import {
  DOCKER_PID_FILE,
  hasLiveRestore,
  inspectBridgeNetwork,
  type ListedContainer,
  listContainers,
} from "../core/docker";
import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import type { Patience } from "../core/module";
import { commandLineOf, startTicks } from "../core/proc";
import { rememberSecretsIn } from "../core/redact";
import { daemonKeys, daemonOptions } from "../formats/daemon_json";
import { configPathOf, parseDockerWords } from "../formats/docker_flags";
import type { DockerFlags } from "../formats/docker_options";
import { parseAddresses } from "../formats/iproute";
import { flagsOf, readOptions, VARIABLE } from "./command_line";
import { desiredFlags } from "./desired";
import { DROP_IN_PATH } from "./files";
import { networkFlags } from "./network";
import type { Container, ObservedDocker, Previous, RunningDaemon } from "./observed";
import type { DockerOptions } from "./options";
import { pendingRestart } from "./pending_restart";
import { readPrevious } from "./rollback";
import { observeService } from "./unit";

/** A file and its content, "" where it does not exist. */
interface ConfigFile {
  readonly path: string;
  readonly content: string;
}

/**
 * Observes where dockerd reads its options, what the running daemon has, and the bridge's address unless that is given.
 * Throws a UserError where Docker is not installed, or a file can't be read as dockerd would read it.
 */
export async function observe(
  options: DockerOptions,
  host: Host,
  patience: Patience = "waits",
): Promise<ObservedDocker> {
  const desired = desiredFlags(options);
  const [bridge = null] = desired.get("bridge") ?? [];
  const service = await observeService(host, patience);
  const optionsFile = host.readFile(service.filePath);
  const dropIn = host.readFile(DROP_IN_PATH);
  const lineIsRead =
    service.readsFile || options.location === "docker_opts" || (dropIn?.content.includes(`$${VARIABLE}`) ?? false);
  const line = lineIsRead ? readOptions(service, optionsFile?.content ?? "").line : "";
  const flags = flagsOf({ command: service.command, line, config: "" });
  const configPath = configPathOf(flags);
  const config = host.readFile(configPath);
  const configFile = { path: configPath, content: config?.content ?? "" };
  requireReadable(configFile);
  // dockerd's log may show them.
  rememberSecretsIn([service.command, line, dropIn?.content, config?.content].join("\n"));
  const previous = readPrevious(host);
  const daemon = await observeDaemon(service.pid, host, configFile, previous);
  const mayRestart = daemon !== null && (options.state !== "present" || pendingRestart(desired, daemon).length > 0);
  return {
    service,
    optionsFile,
    lineIsRead,
    dropIn,
    configPath,
    config,
    daemon: mayRestart ? await withContainers(daemon, host) : daemon,
    version: daemon === null ? installedVersion(host) : daemon.version,
    previous,
    calledAt: startTicks("self", host) ?? 0,
    bridgeAddresses: bridge === null || options.bridge_address !== null ? [] : addressesOf(bridge, host),
  };
}

function requireReadable({ path, content }: ConfigFile): void {
  try {
    daemonKeys(content);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${path}: ${error.message}. Correct it.`) : error;
  }
}

/** Observes the daemon of this process id; null where the process is not dockerd. */
async function observeDaemon(
  pid: number,
  host: Host,
  config: ConfigFile,
  previous: Previous | null,
): Promise<RunningDaemon | null> {
  const commandLine = commandLineOf(pid, host);
  const startedAt = startTicks(pid, host);
  if (commandLine === null || startedAt === null) return null;
  const [program = "", ...words] = commandLine;
  // The pid file of a daemon that was killed stays, and its process id is used again.
  if (!/(^|\/)docker[^/]*$/.test(program)) return null;
  const id = `${host.readText("/proc/sys/kernel/random/boot_id")} ${pid} ${startedAt}`;
  const { network, version } = await inspectBridgeNetwork(host);
  return {
    id,
    startedAt,
    command: [program.startsWith("/") ? program : programOf(pid, program, host), ...words],
    flags: parseDockerWords(words),
    file: fileAtStart(id, host, config, previous),
    network: network && networkFlags(network),
    containers: null,
    liveRestore: false,
    version,
  };
}

/** The path of a process's program, which a shell that started it may have found by its name. An upgrade deletes a running program. */
function programOf(pid: number, name: string, host: Host): string {
  return host.readlink(`/proc/${pid}/exe`)?.replace(/ \(deleted\)$/, "") ?? name;
}

/** Adds what a restart would interrupt. */
async function withContainers(daemon: RunningDaemon, host: Host): Promise<RunningDaemon> {
  const [containers, liveRestore] = await Promise.all([listContainers(host), hasLiveRestore(host)]);
  return { ...daemon, containers: containers?.map(toContainer) ?? null, liveRestore };
}

/**
 * dockerd reads daemon.json only when it starts. If this module has changed it since, the content from before is saved. A
 * file that is newer than the daemon's pid file was changed by somebody else, and what was in it is unknown.
 */
function fileAtStart(
  id: string,
  host: Host,
  { path, content }: ConfigFile,
  previous: Previous | null,
): DockerFlags | null {
  if (previous?.daemon === id) {
    return previous.configWasRead
      ? daemonOptions(previous.files.find((file) => file.path === path)?.content ?? "")
      : null;
  }
  const [changed, started] = [host.mtime(path), host.mtime(DOCKER_PID_FILE)];
  // A time in the future says nothing: the clock was wrong.
  const newer = changed !== null && started !== null && changed > started && changed <= Date.now();
  return newer ? null : daemonOptions(content);
}

/** Weave's router and its companions, by the names that the weave script gives their containers. */
function toContainer({ id, names }: ListedContainer): Container {
  const name = names[0]?.replace(/^\//, "") ?? id.slice(0, 12);
  return { id, name, belongsToWeave: names.some((name) => /^\/weave(dns|plugin|proxy|scope)?$/.test(name)) };
}

/** Asks the program where no daemon runs. */
function installedVersion(host: Host): string | null {
  const { stdout } = host.run(["dockerd", "--version"], { mayFail: true });
  return /version (\d[\w.]*)/.exec(stdout)?.[1] ?? null;
}

function addressesOf(bridge: string, host: Host): string[] {
  const { stdout } = host.run(["ip", "-o", "-4", "addr", "show"]);
  return parseAddresses(stdout)
    .filter(({ device }) => device === bridge)
    .map(({ cidr }) => cidr);
}
