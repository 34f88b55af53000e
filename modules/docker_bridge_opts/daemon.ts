import {
  type BridgeNetwork,
  DOCKER_PID_FILE,
  hasLiveRestore,
  inspectBridgeNetwork,
  type ListedContainer,
  listContainers,
} from "../core/docker";
import type { Host } from "../core/host/host";
import { commandLineOf, startTicks } from "../core/proc";
import { daemonOptions } from "../formats/daemon_json";
import { parseDockerFlags } from "../formats/docker_flags";
import type { DockerFlags } from "../formats/docker_options";
import type { Previous } from "./previous";

/** The daemon that runs, which is what counts. */
export interface RunningDaemon {
  /** Which daemon this is: another boot or another process is another one. */
  readonly id: string;
  /** In clock ticks since the machine's boot. */
  readonly startedAt: number;
  /** Its command line. */
  readonly flags: DockerFlags;
  /** What it read from daemon.json when it started; null where that can't be told any more. */
  readonly file: DockerFlags | null;
  /** Its default network, as its API reports it; null where that gives no answer. */
  readonly network: DockerFlags | null;
  /** The containers that run; null where the API gives no answer, or was not asked as nothing can interrupt them. */
  readonly containers: readonly Container[] | null;
  /** Whether they run on while Docker is restarted. */
  readonly liveRestore: boolean;
  /** Such as 20.10.24; null where the API gives no answer. */
  readonly version: string | null;
}

export interface Container {
  readonly id: string;
  /** Whether it is one of Weave's, which come and go with Docker by a service of their own. */
  readonly isWeaves: boolean;
}

/** Looks at the process of this id, and asks its API about its network. `config` is daemon.json, `previous` the configuration kept from before. */
export async function observeDaemon(
  pid: number,
  host: Host,
  config: { readonly path: string; readonly content: string },
  previous: Previous | null,
): Promise<RunningDaemon | null> {
  const commandLine = commandLineOf(pid, host);
  const startedAt = startTicks(pid, host);
  if (commandLine === null || startedAt === null) return null;
  const [program = "", ...words] = commandLine;
  if (!/(^|\/)docker[^/]*$/.test(program)) return null; // The pid file is a dead daemon's, its id another process's.
  const id = `${host.readText("/proc/sys/kernel/random/boot_id")} ${pid} ${startedAt}`;
  const { network, version } = await inspectBridgeNetwork(host);
  return {
    id,
    startedAt,
    flags: parseDockerFlags(words.map((word) => ({ raw: word, value: word }))),
    file: fileAtStart(id, host, config, previous),
    network: network && networkFlags(network),
    containers: null,
    liveRestore: false,
    version,
  };
}

/** Asks the daemon which containers a restart would interrupt; returns it with them. */
export async function withContainers(daemon: RunningDaemon, host: Host): Promise<RunningDaemon> {
  const [containers, liveRestore] = await Promise.all([listContainers(host), hasLiveRestore(host)]);
  return { ...daemon, containers: containers?.map(toContainer) ?? null, liveRestore };
}

/**
 * dockerd reads daemon.json once. What this module has changed since is kept from before; a file that is newer than the
 * daemon's pid file was changed by somebody else, and what was in it is not known.
 */
function fileAtStart(
  id: string,
  host: Host,
  { path, content }: { readonly path: string; readonly content: string },
  previous: Previous | null,
): DockerFlags | null {
  if (previous?.daemon === id) {
    return daemonOptions(previous.files.find((file) => file.path === path)?.content ?? "");
  }
  const [changed, started] = [host.mtime(path), host.mtime(DOCKER_PID_FILE)];
  // A time to come tells nothing; a clock was wrong.
  const newer = changed !== null && started !== null && changed > started && changed <= Date.now();
  return newer ? null : daemonOptions(content);
}

function toContainer({ id, names }: ListedContainer): Container {
  return { id, isWeaves: names.some((name) => /^\/weave(dns|plugin|proxy|scope)?$/.test(name)) };
}

/** The default network's properties by the options that make them. */
function networkFlags({ options, ranges }: BridgeNetwork): DockerFlags {
  const one = (value: string | undefined): readonly string[] => (value === undefined || value === "" ? [] : [value]);
  return new Map([
    ["bridge", one(options["com.docker.network.bridge.name"])],
    ["fixed-cidr", one(ranges.find((range) => !range.includes(":")))],
    ["mtu", one(options["com.docker.network.driver.mtu"])],
  ]);
}
