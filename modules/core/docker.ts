import { RequestError, UserError } from "./errors";
import type { Host, HttpRequest, HttpResponse } from "./host/host";
import { describeRequest } from "./host/http";
import { type Guard, isBoolean, isListOf, isMapOf, isOptional, isShape, isString, parseJson } from "./json";
import { commandLineOf } from "./proc";
import { isSystemdBooted, unitProperties } from "./systemctl";

/** The defaults of dockerd --host and --pidfile (dockerd --help). */
const SOCKET = "/var/run/docker.sock";
export const DOCKER_PID_FILE = "/var/run/docker.pid";

/** The daemon, for messages. */
export const DOCKER = { name: "Docker", pidFile: DOCKER_PID_FILE };

/** Seconds after which Docker kills a container that has not ended, as `docker stop` does by default. */
const STOP_SECONDS = 10;

export function toDocker(method: HttpRequest["method"], path: string): HttpRequest {
  return { to: { socket: SOCKET }, method, path };
}

/** Answered 200 once the daemon serves its API. */
export const PING = toDocker("GET", "/_ping");

/** Answered 200 while the container runs. */
export function topOfContainer(name: string): HttpRequest {
  return toDocker("GET", `/containers/${name}/top`);
}

/** Answered 304 if the container already runs, 404 if it does not exist. */
export function startContainer(name: string): HttpRequest {
  return toDocker("POST", `/containers/${name}/start`);
}

/** Answered 304 if the container has already ended, 404 if it does not exist. */
export function stopContainer(name: string): HttpRequest {
  return toDocker("POST", `/containers/${name}/stop?t=${STOP_SECONDS}`);
}

/** Answered 409 if the container is paused already, or has ended. */
export function pauseContainer(name: string): HttpRequest {
  return toDocker("POST", `/containers/${name}/pause`);
}

/** Answered 404 if the container does not exist. */
export function inspectRequest(id: string): HttpRequest {
  return toDocker("GET", `/containers/${id}/json`);
}

/** Whether a container is paused, as Docker answers inspectRequest(). */
export function isPaused({ status, body }: HttpResponse): boolean {
  return status === 200 && parseJson(body, RESTART_PROPERTIES)?.State?.Paused === true;
}

/**
 * The process id of Docker's daemon; null if none runs. Found without a request: if systemd listens on Docker's socket, the first
 * one starts the daemon. A daemon with --pidfile is found by systemd, or where that does not run, among all processes but those
 * in containers. Throws a UserError if systemd does not answer.
 */
export function dockerPid(host: Host): number | null {
  const found = Number(host.readText(DOCKER_PID_FILE));
  if (isDaemon(found, host)) return found;
  if (!isSystemdBooted(host)) return findDaemon(host);
  const main = Number(unitProperties("docker.service", ["MainPID"], host)("MainPID"));
  return isDaemon(main, host) ? main : null;
}

/** Up to Docker 1.10 the daemon's program is `docker`; docker-proxy and docker-containerd are others. */
function isDaemon(pid: number, host: Host): boolean {
  return pid > 0 && /^docker(?!-)/.test(host.readText(`/proc/${pid}/comm`) ?? "");
}

/** Processes of containers are in another namespace of process ids, those of rootless Docker in another one of users. */
function findDaemon(host: Host): number | null {
  const namespacesOf = (pid: number | "self"): string =>
    ["pid", "user"].map((kind) => host.readlink(`/proc/${pid}/ns/${kind}`)).join(" ");
  const pids = host
    .readdir("/proc")
    .map(Number)
    .filter((pid) => isDaemon(pid, host));
  const isOwn = (pid: number): boolean => namespacesOf(pid) === namespacesOf("self");
  return pids.find((pid) => startsDaemon(commandLineOf(pid, host) ?? []) && isOwn(pid)) ?? null;
}

/** Whether it is not the client: `dockerd`, `docker daemon`, `docker -d`. */
function startsDaemon([program = "", ...words]: readonly string[]): boolean {
  return /(^|\/)dockerd$/.test(program) || words.some((word) => ["daemon", "-d", "--daemon"].includes(word));
}

const CONTAINER = isShape({
  State: isShape({ Running: isBoolean }),
  Config: isShape({ Image: isString, Env: isOptional(isListOf(isString)) }),
  HostConfig: isShape({
    RestartPolicy: isOptional(isShape({ Name: isString })),
    NetworkMode: isOptional(isString),
  }),
  NetworkSettings: isOptional(
    isShape({
      IPAddress: isOptional(isString),
      Networks: isOptional(isMapOf(isOptional(isShape({ IPAddress: isOptional(isString) })))),
    }),
  ),
  Args: isOptional(isListOf(isString)),
});

/** A container as Docker reports it (Engine API, ContainerInspect). */
export interface Container {
  readonly running: boolean;
  /** Such as weaveworks/weave:2.8.1. */
  readonly image: string;
  /** Docker's restart policy: "no", "always" and so on. */
  readonly restartPolicy: string;
  /** The arguments that its program was started with. */
  readonly args: readonly string[];
  /** Entries NAME=value. */
  readonly environment: readonly string[];
  /** Its own IPv4 address; null if it has none, as with the host's network. */
  readonly address: string | null;
}

/** The container of this name; null if it does not exist. Throws a UserError if the daemon does not say so in time. */
export async function inspectContainer(name: string, host: Host): Promise<Container | null> {
  const request = inspectRequest(name);
  const response = await host.request(request).catch((error: unknown) => {
    if (!(error instanceof RequestError)) throw error;
    throw new RequestError(
      error.request,
      error.found,
      "See why Docker does not answer (systemctl status docker), or restart it.",
      error.code,
    );
  });
  if (response === null) {
    throw new UserError(
      `Docker: must listen on ${SOCKET} (found that Docker runs, and nothing listens there). Add the option ` +
        `-H unix://${SOCKET}, or wait until Docker has started, and run again.`,
    );
  }
  if (response.status === 404) return null;
  if (response.status !== 200) {
    throw new UserError(
      `Docker: must report the container ${name} (found the answer ${response.status}: ${response.body.trim()}). See why ` +
        "(journalctl -u docker), and run again.",
    );
  }
  const { State, Config, HostConfig, NetworkSettings, Args } = bodyOf(request, response, CONTAINER);
  // Since API 1.52 only each network has an address.
  const addresses = [NetworkSettings, ...Object.values(NetworkSettings?.Networks ?? {})].map((each) => each?.IPAddress);
  return {
    running: State.Running,
    image: Config.Image,
    restartPolicy: HostConfig.RestartPolicy?.Name || "no",
    args: Args ?? [],
    environment: Config.Env ?? [],
    address: addresses.find((address) => address) ?? null,
  };
}

/** A running container. Its names begin with a slash, such as /web. */
export interface ListedContainer {
  readonly id: string;
  readonly names: readonly string[];
}

const CONTAINERS = isListOf(isShape({ Id: isString, Names: isOptional(isListOf(isString)) }));

/** The running containers; null if the daemon does not answer. */
export async function listContainers(host: Host): Promise<readonly ListedContainer[] | null> {
  const { body } = await requestOrNull("/containers/json", CONTAINERS, host);
  return body?.map(({ Id: id, Names: names }) => ({ id, names: names ?? [] })) ?? null;
}

const RESTART_PROPERTIES = isShape({
  State: isOptional(isShape({ Paused: isOptional(isBoolean) })),
  HostConfig: isOptional(isShape({ AutoRemove: isOptional(isBoolean) })),
});

/** Whether a container is paused, and whether Docker removes it when it stops (docker run --rm); neither if the daemon does not say so. */
export async function inspectForRestart(
  id: string,
  host: Host,
): Promise<{ readonly paused: boolean; readonly autoRemove: boolean }> {
  const { body } = await requestOrNull(`/containers/${id}/json`, RESTART_PROPERTIES, host);
  return { paused: body?.State?.Paused === true, autoRemove: body?.HostConfig?.AutoRemove === true };
}

const INFO = isShape({ LiveRestoreEnabled: isOptional(isBoolean) });

/** Whether containers keep running while the daemon restarts (live-restore); false if it does not answer. */
export async function hasLiveRestore(host: Host): Promise<boolean> {
  const { body } = await requestOrNull("/info", INFO, host);
  return body?.LiveRestoreEnabled === true;
}

const VERSION = isShape({ MinAPIVersion: isOptional(isString) });

/**
 * The oldest API version that the daemon accepts, such as 1.24; null if it does not report it, or no daemon listens. Throws a
 * UserError if it does not answer in time.
 */
export async function oldestApiVersion(host: Host): Promise<string | null> {
  const request = toDocker("GET", "/version");
  const response = await host.request(request);
  return response?.status === 200 ? (bodyOf(request, response, VERSION).MinAPIVersion ?? null) : null;
}

/** Whether this host has Docker's daemon, running or not. Up to Docker 1.10 its program is Docker's own. */
export function isDockerInstalled(programs: ReadonlySet<string>): boolean {
  return programs.has("dockerd") || programs.has("docker");
}

/** The oldest API version that a dockerd which does not run would accept, by its version; null if there is none. */
export function oldestApiOfInstalled(programs: ReadonlySet<string>, host: Host): string | null {
  if (!programs.has("dockerd")) return null;
  const { stdout } = host.run(["dockerd", "--version"], { mayFail: true });
  return oldestApiOf(stdout);
}

/**
 * Parses the output of `dockerd --version`. The oldest API was raised in 25.0 and 29.0, and lowered in 29.3 (release notes of
 * Docker Engine; moby, daemon/config: MinAPIVersion). Any daemon before accepts what Weave asks for.
 */
export function oldestApiOf(output: string): string | null {
  const [, major, minor] = /version v?(\d+)\.(\d+)/.exec(output) ?? [];
  if (major === undefined) return null;
  const version = Number(major) * 1000 + Number(minor);
  if (version >= 29_003) return "1.40";
  if (version >= 29_000) return "1.44";
  return version >= 25_000 ? "1.24" : "1.12";
}

/** For what a plan can do without: if the daemon does not answer, as it is starting or stuck, the body is null. */
export async function requestOrNull<T>(
  path: string,
  guard: Guard<T>,
  host: Host,
): Promise<{ readonly body: T | null; readonly server: string }> {
  const request = toDocker("GET", path);
  const response = await host.request(request).catch((error: unknown) => {
    if (error instanceof UserError) return null;
    throw error;
  });
  const body = response?.status === 200 ? bodyOf(request, response, guard) : null;
  return { body, server: response?.server ?? "" };
}

/** The message does not quote the body: a container's environment may contain secrets. */
function bodyOf<T>(request: HttpRequest, { body }: HttpResponse, guard: Guard<T>): T {
  const value = parseJson(body, guard);
  if (value === null) {
    throw new UserError(
      `Docker: must answer ${describeRequest(request)} as its API does (found ${body.length} characters of another form). ` +
        "Check what listens there (docker version).",
    );
  }
  return value;
}
