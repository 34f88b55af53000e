import { UserError } from "../core/errors";
import type { Host, HttpRequest } from "../core/host/host";
import { bytesOf } from "./environment";

/** A component's container, as Docker has it. */
export interface ObservedContainer {
  readonly running: boolean;
  /** Such as weaveworks/weave:2.8.1. */
  readonly image: string;
  /** Docker's own reason to start it again: "no", "always" … */
  readonly restartPolicy: string;
  /** What its program was started with. */
  readonly args: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
}

const DOCKER = { socket: "/var/run/docker.sock" };

/** The request that is answered 200 as long as the container runs. */
export function runs(container: string): HttpRequest {
  return { to: DOCKER, method: "GET", path: `/containers/${container}/top` };
}

/**
 * Whether a Docker daemon runs. Its socket is not asked before: where systemd holds it, the first question to it would
 * start the daemon.
 */
export function dockerRuns(host: Host): boolean {
  const pid = host.readText("/var/run/docker.pid");
  return pid !== null && /^docker/.test(host.readText(`/proc/${pid}/comm`) ?? "");
}

/** The container of that name, or null where there is none. */
export async function observeContainer(name: string, host: Host): Promise<ObservedContainer | null> {
  const answer = await host.request({ to: DOCKER, method: "GET", path: `/containers/${name}/json` }).catch((error) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${error.message}. See why Docker does not answer (systemctl status docker), or restart it`);
  });
  if (answer === null || answer.status === 404) return null;
  if (answer.status !== 200) {
    throw new UserError(`Docker answered ${answer.status} when asked for the container ${name}: ${answer.body.trim()}`);
  }
  return parseContainer(answer.body);
}

/** Reads what Docker answers when it is asked for a container (Engine API, ContainerInspect). */
export function parseContainer(body: string): ObservedContainer {
  const { State, Config, HostConfig, Args } = JSON.parse(body) as {
    State: { Running: boolean };
    Config: { Image: string; Env: readonly string[] | null };
    HostConfig: { RestartPolicy?: { Name: string } };
    Args: readonly string[] | null;
  };
  return {
    running: State.Running,
    image: Config.Image,
    restartPolicy: HostConfig.RestartPolicy?.Name || "no",
    args: Args ?? [],
    environment: parseEnvironment((Config.Env ?? []).map(bytesOf)),
  };
}

/** The oldest version of its API that the Docker daemon accepts, or null where it does not tell. */
export async function observeOldestApi(host: Host): Promise<string | null> {
  const answer = await host.request({ to: DOCKER, method: "GET", path: "/version" });
  if (answer?.status !== 200) return null;
  return (JSON.parse(answer.body) as { MinAPIVersion?: string }).MinAPIVersion ?? null;
}

/** Takes entries `NAME=value`; returns the values by name. */
export function parseEnvironment(entries: readonly string[]): ReadonlyMap<string, string> {
  return new Map(entries.map((entry) => [entry.replace(/=[\s\S]*/, ""), entry.replace(/^[^=]*=?/, "")]));
}
