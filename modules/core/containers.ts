import type { NamedContainer } from "./change";
import { startContainer, stopContainer } from "./docker";
import { messageOf, UserError } from "./errors";
import type { HttpRequest } from "./host/host";
import { request } from "./host/http";

/**
 * Stops containers, all at once. Throws a UserError with the names of those that did not stop within these seconds. Docker may
 * still stop them later.
 */
export async function stopContainers(containers: readonly NamedContainer[], seconds: number): Promise<void> {
  const failures = await ask(containers, stopContainer, seconds);
  if (failures.length === 0) return;
  throw new UserError(`Docker did not stop ${failures.join(", ")}. It may still do so later: docker ps shows it.`);
}

/** Starts containers, all at once. Throws a UserError with the names of those that did not start within these seconds. */
export async function startContainers(containers: readonly NamedContainer[], seconds: number): Promise<void> {
  const failures = await ask(containers, startContainer, seconds);
  if (failures.length === 0) return;
  throw new UserError(
    `Containers that were stopped could not be started again: ${failures.join(", ")}. Start them (docker start).`,
  );
}

/** Sends a request for each container. Returns those that failed, each with its reason. */
async function ask(
  containers: readonly NamedContainer[],
  requestFor: (id: string) => HttpRequest,
  seconds: number,
): Promise<string[]> {
  const failures = await Promise.all(
    containers.map(async ({ id, name }) => {
      const reason = await failureOf(requestFor(id), seconds);
      return reason === null ? [] : [`${name} (${reason})`];
    }),
  );
  return failures.flat();
}

async function failureOf(toSend: HttpRequest, seconds: number): Promise<string | null> {
  try {
    const response = await request(toSend, seconds);
    if (response === null) return "Docker does not run";
    // 304: it is stopped or started already. 404: it was removed when it stopped (docker run --rm).
    if (response.status < 300 || response.status === 304 || response.status === 404) return null;
    return `Docker answered ${response.status}: ${response.body.trim()}`;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return messageOf(error);
  }
}
