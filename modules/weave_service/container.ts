import { UserError } from "../core/errors";
import type { Host, HttpRequest } from "../core/host/host";
import type { Component } from "./components";
import { ARGS, bytesOf, PASSWORD, parseEnvironment } from "./environment";
import type { Environment, ObservedContainer } from "./observed";

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

/**
 * Throws a UserError for a container of the component's name that runs another image, so that it is not stopped or
 * removed. A container whose image is known only by its digest is accepted.
 */
export function rejectOtherImage({ container: name, image }: Component, container: ObservedContainer | null): void {
  const [, base] = /([^/:@]+)(?:[:@][^/]*)?$/.exec(container?.image ?? "") ?? [];
  if (container === null || base === image || container.image.startsWith("sha256:")) return;
  throw new UserError(
    `the container ${name} must be of an image ${image} (its image is ${container.image}). Rename or remove it (docker rename ${name} …)`,
  );
}

/**
 * How a container launched by something else differs from the desired one, in words without secrets. Of its arguments
 * only missing ones count: an additional proxy or plugin in a router does no harm until the next launch.
 */
export function mismatches(
  container: ObservedContainer | null,
  environment: Environment,
  tag: string | null,
): readonly string[] {
  if (container === null) return [];
  const { image, args } = container;
  const given = ` ${args.join(" ")} `;
  const isGiven = (argument: string): boolean =>
    given.includes(` ${argument} `) || given.includes(` ${argument.replace("=", " ")} `);
  const missing = (environment.get(ARGS) ?? "")
    .split(" ")
    .filter((argument) => !/^$|^--no-restart$|^--name=|^--(plugin|proxy)=false$/.test(argument) && !isGiven(argument));
  const fastdp = args.includes("--datapath") && !args.includes("--no-fastdp");
  const password = (variables: Environment): string => variables.get(PASSWORD) ?? "";
  return [
    ...(tag !== null && !image.endsWith(`:${tag}`) ? [`its image is ${image}, not ${tag}`] : []),
    ...(password(environment) === password(container.environment) ? [] : ["it has another password"]),
    ...(environment.has("WEAVE_NO_FASTDP") && fastdp ? ["it uses the fast datapath"] : []),
    ...missing.map((argument) => `it was launched without ${argument}`),
  ];
}

/** The tag of an image's name, or null. */
export function tagOf(image: string): string | null {
  return /:([\w.-]+)$/.exec(image)?.[1] ?? null;
}
