import type { NamedContainer } from "./change";
import { inspectRequest, isPaused, pauseContainer, startContainer, stopContainer } from "./docker_containers";
import { RequestError, UserError } from "./errors";
import type { HttpRequest } from "./host/host";
import { request } from "./host/http";

type Send = typeof request;

/**
 * Stops containers, all at once. Throws a UserError with the names of those that did not stop within these seconds. Docker may
 * still stop them later.
 */
export async function stopContainers(
  containers: readonly NamedContainer[],
  seconds: number,
  send: Send = request,
): Promise<void> {
  const failures = await Promise.all(
    containers.map(async ({ id, name }) => {
      const failure = await requestFailure(stopContainer(id), seconds, send);
      return failure === null ? [] : [`${name}: ${failure}`];
    }),
  );
  if (failures.flat().length === 0) return;
  throw new UserError(
    `Docker: must stop each container within ${seconds} s (found ${failures.flat().join("; ")}). See docker ps; Docker may still stop them.`,
  );
}

/**
 * Starts containers, and pauses those that were paused. Docker rejects one that joins another one's network or is linked to it
 * until that one runs, so those that it rejected are tried again whenever one has started. Throws a UserError with the names of
 * those that did not start within these seconds.
 */
export async function startContainers(
  containers: readonly NamedContainer[],
  seconds: number,
  send: Send = request,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  const secondsLeft = (): number => Math.max(1, (end - Date.now()) / 1000);
  const failures = new Map<NamedContainer, string>();
  let started = 0;
  const start = async (container: NamedContainer): Promise<void> => {
    failures.delete(container);
    for (;;) {
      const before = started;
      const failure = await failureOfStart(container, secondsLeft(), send);
      if (failure === null) break;
      if (started === before || Date.now() >= end) {
        failures.set(container, failure);
        return;
      }
    }
    started++;
    if (Date.now() < end) await Promise.all([...failures.keys()].map(start));
  };
  await Promise.all(containers.map(start));
  if (failures.size === 0) return;
  const named = containers.flatMap((container) => {
    const failure = failures.get(container);
    return failure === undefined ? [] : [`${container.name}: ${failure}`];
  });
  throw new UserError(
    `Docker: must start each stopped container again (found ${named.join("; ")}). Start them (docker start).`,
  );
}

async function failureOfStart(
  { id, paused = false }: NamedContainer,
  seconds: number,
  send: Send,
): Promise<string | null> {
  // Docker neither starts nor pauses a paused container (409, before Docker 1.13 500).
  const failureUnlessPaused = async (toSend: HttpRequest): Promise<string | null> => {
    const failure = await requestFailure(toSend, seconds, send);
    return failure !== null && (await isPausedNow(id, seconds, send)) ? null : failure;
  };
  const failure = await failureUnlessPaused(startContainer(id));
  return failure === null && paused ? failureUnlessPaused(pauseContainer(id)) : failure;
}

async function isPausedNow(id: string, seconds: number, send: Send): Promise<boolean> {
  try {
    const inspected = await send(inspectRequest(id), seconds);
    return inspected !== null && isPaused(inspected);
  } catch (error) {
    if (error instanceof RequestError) return false;
    throw error;
  }
}

async function requestFailure(toSend: HttpRequest, seconds: number, send: Send): Promise<string | null> {
  try {
    const response = await send(toSend, seconds);
    if (response === null) return "that Docker does not run";
    // 304: it is stopped or started already. 404: it was removed when it stopped (docker run --rm).
    if (response.status < 300 || response.status === 304 || response.status === 404) return null;
    return `the answer ${response.status}: ${response.body.trim()}`;
  } catch (error) {
    if (error instanceof RequestError) return error.found;
    throw error;
  }
}
