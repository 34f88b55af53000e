import { UserError } from "./errors";
import type { Host, HttpRequest, HttpResponse } from "./host/host";
import { describeRequest } from "./host/http";
import { type Guard, isBoolean, isOptional, isShape, isString, parseJson } from "./json";
import { commandLineOf } from "./proc";
import { hasProgram } from "./programs";
import { isSystemdBooted, unitProperties } from "./systemctl";

/** The defaults of dockerd --host and --pidfile (dockerd --help). */
export const SOCKET = "/var/run/docker.sock";
export const DOCKER_PID_FILE = "/var/run/docker.pid";

/** The daemon, for messages. */
export const DOCKER = { name: "Docker", pidFile: DOCKER_PID_FILE };

/** A request to Docker's API; `path` begins with a slash and has no version. */
export function dockerRequest(method: HttpRequest["method"], path: string): HttpRequest {
  return { to: { socket: SOCKET }, method, path };
}

/** Answered 200 once the daemon serves its API. */
export const PING = dockerRequest("GET", "/_ping");

/**
 * The process id of Docker's daemon; null if none runs. Found without a request: if systemd listens on Docker's socket, the first
 * one starts the daemon. A daemon with --pidfile is found by systemd, or where that does not run, among all processes but those
 * in containers. Throws a UserError if systemd does not answer.
 */
export function dockerPid(host: Host): number | null {
  const found = Number(host.readText(DOCKER_PID_FILE));
  if (isDaemon(found, host)) return found;
  if (!isSystemdBooted(host)) return findDaemon(host);
  const [property = () => ""] = unitProperties(["docker.service"], ["MainPID"], host);
  const main = Number(property("MainPID"));
  return isDaemon(main, host) ? main : null;
}

/** Up to Docker 1.11 the daemon's program is `docker`; docker-proxy and docker-containerd are others. */
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
  const request = dockerRequest("GET", "/version");
  const response = await host.request(request);
  return response?.status === 200 ? (bodyOf(request, response, VERSION).MinAPIVersion ?? null) : null;
}

/**
 * Whether this host has Docker's daemon, running or not, among its programs. The client alone is none: Debian 13 and newer have it in its
 * own package. Up to Docker 1.11 both are one program (changes of Docker 1.12).
 */
export function isDockerInstalled(programs: ReadonlySet<string>, host: Host): boolean {
  if (programs.has("dockerd")) return true;
  if (!programs.has("docker")) return false;
  const { stdout } = host.run(["docker", "--version"], { mayFail: true });
  return /^Docker version (0|1\.\d|1\.1[01])\./.test(stdout);
}

/** The version of the installed dockerd, running or not, such as 20.10.24; null if it does not print one, or is elsewhere. */
export function installedVersion(host: Host): string | null {
  if (!hasProgram("dockerd", host)) return null;
  const { stdout } = host.run(["dockerd", "--version"], { mayFail: true });
  return /version v?(\d[\w.]*)/.exec(stdout)?.[1] ?? null;
}

/** The oldest API version that a dockerd which does not run would accept; null if there is none. */
export function oldestApiOfInstalled(host: Host): string | null {
  const version = installedVersion(host);
  return version === null ? null : oldestApiOf(version);
}

/**
 * The oldest API version that a dockerd of this version accepts; null for a text that isn't a version. It was raised in 25.0 and 29.0,
 * and lowered in 29.3 (release notes of Docker Engine; moby, daemon/config: MinAPIVersion). Any daemon before accepts what Weave
 * asks for.
 */
function oldestApiOf(version: string): string | null {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined) return null;
  const number = Number(major) * 1000 + Number(minor);
  if (number >= 29_003) return "1.40";
  if (number >= 29_000) return "1.44";
  return number >= 25_000 ? "1.24" : "1.12";
}

/** For what a plan can do without: if the daemon does not answer, as it is starting or stuck, the body is null. */
export async function requestOrNull<T>(
  path: string,
  guard: Guard<T>,
  host: Host,
): Promise<{ readonly body: T | null; readonly server: string }> {
  const request = dockerRequest("GET", path);
  const response = await host.request(request).catch((error: unknown) => {
    if (error instanceof UserError) return null;
    throw error;
  });
  const body = response?.status === 200 ? bodyOf(request, response, guard) : null;
  return { body, server: response?.server ?? "" };
}

/** An answer's body. The message does not quote it: a container's environment may contain secrets. */
export function bodyOf<T>(request: HttpRequest, { body }: HttpResponse, guard: Guard<T>): T {
  const value = parseJson(body, guard);
  if (value === null) {
    throw new UserError(
      `Docker: must answer ${describeRequest(request)} as its API does (found ${body.length} characters of another form). ` +
        "Check what listens there (docker version).",
    );
  }
  return value;
}
