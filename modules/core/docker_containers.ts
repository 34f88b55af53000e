import { bodyOf, dockerRequest, requestOrNull, SOCKET } from "./docker";
import { RequestError, UserError } from "./errors";
import type { Host, HttpRequest, HttpResponse } from "./host/host";
import { isBoolean, isListOf, isMapOf, isOptional, isShape, isString, parseJson } from "./json";

/** Seconds after which Docker kills a container that has not ended, as `docker stop` does by default. */
const STOP_SECONDS = 10;

/** Answered 200 while the container runs. */
export function topOfContainer(name: string): HttpRequest {
  return dockerRequest("GET", `/containers/${name}/top`);
}

/** Answered 304 if the container already runs, 404 if it does not exist. */
export function startContainer(name: string): HttpRequest {
  return dockerRequest("POST", `/containers/${name}/start`);
}

/** Answered 304 if the container has already ended, 404 if it does not exist. */
export function stopContainer(name: string): HttpRequest {
  return dockerRequest("POST", `/containers/${name}/stop?t=${STOP_SECONDS}`);
}

/** Answered 409 if the container is paused already, or has ended. */
export function pauseContainer(name: string): HttpRequest {
  return dockerRequest("POST", `/containers/${name}/pause`);
}

/** Answered 404 if the container does not exist. */
export function inspectRequest(id: string): HttpRequest {
  return dockerRequest("GET", inspectPath(id));
}

/** The path of that request. */
export function inspectPath(id: string): string {
  return `/containers/${id}/json`;
}

/** Whether a container is paused, as Docker answers inspectRequest(). */
export function isPaused({ status, body }: HttpResponse): boolean {
  return status === 200 && parseJson(body, RESTART_PROPERTIES)?.State?.Paused === true;
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
  const { body } = await requestOrNull(inspectPath(id), RESTART_PROPERTIES, host);
  return { paused: body?.State?.Paused === true, autoRemove: body?.HostConfig?.AutoRemove === true };
}
