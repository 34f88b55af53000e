import { BECOME_HINT, UserError, withFullStop } from "../../core/errors";
import type { Host, HttpRequest, HttpResponse } from "../../core/host/host";

/** A host that reports what can't be read as absent, and adds the reason to `errors`. */
export function lenientHost(host: Host, errors: Set<string>): Host {
  const reading = <Key, Value>(read: (key: Key) => Value | null) => {
    return (key: Key): Value | null => attempt(() => read(key), errors);
  };
  return {
    ...host,
    readFile: reading(host.readFile),
    readStart: (path, bytes) => attempt(() => host.readStart(path, bytes), errors),
    changedAt: reading(host.changedAt),
    writableByOthers: reading(host.writableByOthers),
    readText: reading(host.readText),
    readlink: reading(host.readlink),
    readdir: (path) => attempt(() => host.readdir(path), errors) ?? [],
    request: (request) => host.request(request).catch((error: unknown) => recordRequest(request, error, errors)),
  };
}

/** What `read` returns, or null if it throws a UserError, whose message is added to `errors`. */
export function attempt<Value>(read: () => Value, errors: Set<string>): Value | null {
  try {
    return read();
  } catch (error) {
    return record(error, errors);
  }
}

/** The same for a function that returns a promise. */
export function attemptLater<Value>(read: () => Promise<Value>, errors: Set<string>): Promise<Value | null> {
  return Promise.resolve()
    .then(read)
    .catch((error: unknown) => record(error, errors));
}

function record(error: unknown, errors: Set<string>): null {
  if (!(error instanceof UserError)) throw error;
  errors.add(withFullStop(error.message.replace(BECOME_HINT, "")));
  return null;
}

/** A socket without permission is reported once, not for each request. */
function recordRequest({ to }: HttpRequest, error: unknown, errors: Set<string>): HttpResponse | null {
  if (error instanceof UserError && "socket" in to && error.code === "EACCES") {
    errors.add(`${to.socket}: must be open to this user (found EACCES). Run as root.`);
  } else {
    record(error, errors);
  }
  // The answer says that it is absent; null would mean that Docker does not listen.
  return "socket" in to ? { status: 404, body: "" } : null;
}
