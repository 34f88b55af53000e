import { UserError } from "../core/errors";
import type { Host, HttpRequest } from "../core/host/host";
import { ticksAtStart } from "../core/proc";
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

export const API_SOCKET = "/var/run/docker.sock";

/** Looks at the process of this id, and asks its API about its network. `config` is daemon.json, `previous` the configuration kept from before. */
export async function observeDaemon(
  pid: number,
  host: Host,
  config: { readonly path: string; readonly content: string },
  previous: Previous | null,
): Promise<RunningDaemon | null> {
  const commandLine = pid > 0 ? host.readText(`/proc/${pid}/cmdline`) : null;
  const startedAt = ticksAtStart(host.readText(`/proc/${pid}/stat`) ?? "");
  if (commandLine === null || startedAt === null) return null;
  const [program = "", ...words] = commandLine.replace(/\0$/, "").split("\0");
  if (!/(^|\/)docker[^/]*$/.test(program)) return null; // The pid file is a dead daemon's, its id another process's.
  const id = `${host.readText("/proc/sys/kernel/random/boot_id")} ${pid} ${startedAt}`;
  const network = await ask<NetworkAnswer>("/networks/bridge", host);
  return {
    id,
    startedAt,
    flags: parseDockerFlags(words.map((word) => ({ raw: word, value: word }))),
    file: fileAtStart(id, host, config, previous),
    network: network.answer && parseNetwork(network.answer),
    containers: null,
    liveRestore: false,
    version: /^Docker\/([^\s]+)/.exec(network.server)?.[1] ?? null,
  };
}

/** Asks the daemon which containers a restart would interrupt; returns it with them. */
export async function withContainers(daemon: RunningDaemon, host: Host): Promise<RunningDaemon> {
  const [containers, info] = await Promise.all([
    ask<readonly ContainerAnswer[]>("/containers/json", host),
    ask<Readonly<Record<string, unknown>>>("/info", host),
  ]);
  return {
    ...daemon,
    containers: containers.answer?.map(readContainer) ?? null,
    liveRestore: info.answer?.["LiveRestoreEnabled"] === true,
  };
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
  const [changed, started] = [host.mtime(path), host.mtime("/var/run/docker.pid")];
  // A time to come tells nothing; a clock was wrong.
  const newer = changed !== null && started !== null && changed > started && changed <= Date.now();
  return newer ? null : daemonOptions(content);
}

interface ContainerAnswer {
  readonly Id: string;
  readonly Names?: readonly string[];
}

function readContainer({ Id: id, Names: names = [] }: ContainerAnswer): Container {
  return { id, isWeaves: names.some((name) => /^\/weave(dns|plugin|proxy|scope)?$/.test(name)) };
}

interface NetworkAnswer {
  readonly Options?: Readonly<Record<string, string>>;
  readonly IPAM?: { readonly Config?: readonly { readonly IPRange?: string }[] | null };
}

/** Takes the answer to GET /networks/bridge; returns it as options. */
export function parseNetwork({ Options: options, IPAM: ipam }: NetworkAnswer): DockerFlags {
  const one = (value: string | undefined): readonly string[] => (value === undefined || value === "" ? [] : [value]);
  const ranges = (ipam?.Config ?? []).map(({ IPRange: range = "" }) => range);
  return new Map([
    ["bridge", one(options?.["com.docker.network.bridge.name"])],
    ["fixed-cidr", one(ranges.find((range) => range !== "" && !range.includes(":")))],
    ["mtu", one(options?.["com.docker.network.driver.mtu"])],
  ]);
}

/**
 * What the API answers, and what it calls itself, which it does whatever the status. A daemon that is starting, or stuck,
 * gives no answer; its command line has to do then.
 */
async function ask<Answer>(path: string, host: Host): Promise<{ answer: Answer | null; server: string }> {
  const request: HttpRequest = { to: { socket: API_SOCKET }, method: "GET", path, headers: { host: "docker" } };
  try {
    const { status, body, server = "" } = (await host.request(request)) ?? { status: 0, body: "" };
    return { answer: status === 200 ? (JSON.parse(body) as Answer) : null, server };
  } catch (error) {
    if (error instanceof UserError || error instanceof SyntaxError) return { answer: null, server: "" };
    throw error;
  }
}
