import { UserError } from "../core/errors";
import type { FileState, Host } from "../core/host/host";
import { startTicks } from "../core/proc";
import { daemonKeys } from "../formats/daemon_json";
import { parseDockerFlags } from "../formats/docker_flags";
import { parseAddresses } from "../formats/iproute";
import { splitWords } from "../formats/shell_words";
import { observeDaemon, type RunningDaemon, withContainers } from "./daemon";
import { wantedFlags } from "./desired";
import { type DockerService, observeService } from "./docker_service";
import { DROP_IN_PATH } from "./drop_in";
import type { DockerOptions } from "./options";
import { readOptions, VARIABLE } from "./options_file";
import { restartOwed } from "./owed";
import { PREVIOUS_PATH, type Previous, readPrevious } from "./previous";

/** The host as docker_bridge_opts finds it. */
export interface ObservedDocker {
  readonly service: DockerService;
  /** The file with DOCKER_OPTS, and whether dockerd gets what is in it, if only by this module's drop-in. */
  readonly optionsFile: FileState | null;
  readonly lineIsRead: boolean;
  readonly dropIn: FileState | null;
  readonly configPath: string;
  /** daemon.json. */
  readonly config: FileState | null;
  readonly daemon: RunningDaemon | null;
  /** dockerd's version, such as 20.10.24, or null where it can't be told. */
  readonly version: string | null;
  readonly previous: Previous | null;
  /** When this module was called, in clock ticks since the machine's boot. */
  readonly calledAt: number;
  /** The IPv4 addresses of the bridge, with prefix length; empty where it is not there. */
  readonly bridgeAddresses: readonly string[];
}

/** Looks at where dockerd reads its options, at what it runs with, and at the bridge where its address was not told. */
export async function observe(options: DockerOptions, host: Host): Promise<ObservedDocker> {
  const wanted = wantedFlags(options);
  const [bridge = null] = wanted.get("bridge") ?? [];
  const service = await observeService(host);
  const optionsFile = host.readFile(service.filePath);
  const dropIn = host.readFile(DROP_IN_PATH);
  const lineIsRead =
    service.readsFile || options.place === "docker_opts" || (dropIn?.content.includes(`$${VARIABLE}`) ?? false);
  const line = lineIsRead ? readOptions(service, optionsFile?.content ?? "").line : "";
  const configPath =
    parseDockerFlags([...splitWords(service.command), ...splitWords(line)])
      .get("config-file")
      ?.at(-1) ?? "/etc/docker/daemon.json";
  const config = host.readFile(configPath);
  refuseUnreadable(configPath, config?.content ?? "");
  const previous = readPrevious(host.readFile(PREVIOUS_PATH));
  const read = { path: configPath, content: config?.content ?? "" };
  const daemon = await observeDaemon(service.pid, host, read, previous);
  const mayRestart = daemon !== null && (options.state !== "present" || restartOwed(wanted, daemon).length > 0);
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

function refuseUnreadable(path: string, content: string): void {
  try {
    daemonKeys(content);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${path}: ${error.message}; correct it`) : error;
  }
}

/** Asks the program where no daemon can be asked. */
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
