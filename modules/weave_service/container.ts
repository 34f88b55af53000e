import { toBytes } from "../core/bytes";
import { inspectContainer } from "../core/docker_containers";
import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import { parseEnvironment } from "../core/proc";
import type { Component } from "./components";
import { ARGS, PASSWORD } from "./environment";
import type { Environment, ObservedContainer } from "./observed";

/** The container of that name, or null if there is none. */
export async function observeContainer(name: string, host: Host): Promise<ObservedContainer | null> {
  const container = await inspectContainer(name, host);
  return container && { ...container, environment: parseEnvironment(container.environment.map(toBytes)) };
}

/**
 * Throws a UserError for a container of the component's name that runs another image, so that it is not stopped or
 * removed. A container whose image is known only by its digest is accepted.
 */
export function rejectOtherImage({ container: name, image }: Component, container: ObservedContainer | null): void {
  const [, base] = /([^/:@]+)(?:[:@][^/]*)?$/.exec(container?.image ?? "") ?? [];
  if (container === null || base === image || container.image.startsWith("sha256:")) return;
  throw new UserError(
    `component: the container ${name} must have the image ${image} (found ${container.image}). Rename or remove that ` +
      `container (docker rename ${name} …).`,
  );
}

/**
 * How a container launched by something else differs from the desired one, in words without secrets. Its
 * additional arguments are ignored: another proxy or plugin in a router does no harm until the next launch.
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
