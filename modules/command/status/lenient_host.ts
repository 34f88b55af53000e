import { UserError } from "../../core/errors";
import type { Host, HttpRequest, HttpResponse } from "../../core/host/host";

/**
 * Takes a host; returns it as who may not read everything sees it: what can't be read is as if it were not there, and why is
 * added to `unseen`.
 */
export function lenientHost(host: Host, unseen: Set<string>): Host {
  const reading = <Key, Value>(read: (key: Key) => Value | null) => {
    return (key: Key): Value | null => attempt(() => read(key), unseen);
  };
  return {
    ...host,
    readFile: reading(host.readFile),
    mtime: reading(host.mtime),
    readText: reading(host.readText),
    readlink: reading(host.readlink),
    readdir: (path) => attempt(() => host.readdir(path), unseen) ?? [],
    request: (request) => host.request(request).catch((error: unknown) => unanswered(request, error, unseen)),
  };
}

/** What `look` returns, or null where it is refused; why is added to `unseen`. */
export function attempt<Value>(look: () => Value, unseen: Set<string>): Value | null {
  try {
    return look();
  } catch (error) {
    return noted(error, unseen);
  }
}

/** The same for what takes a while. */
export function attemptLater<Value>(look: () => Promise<Value>, unseen: Set<string>): Promise<Value | null> {
  return Promise.resolve()
    .then(look)
    .catch((error: unknown) => noted(error, unseen));
}

function noted(error: unknown, unseen: Set<string>): null {
  if (!(error instanceof UserError)) throw error;
  unseen.add(error.message.replace(" (become: true)", ""));
  return null;
}

/** A service that one may not ask at all is named once, whatever it was asked. */
function unanswered({ to }: HttpRequest, error: unknown, unseen: Set<string>): HttpResponse | null {
  if (error instanceof UserError && "socket" in to && error.message.includes("EACCES")) {
    unseen.add(`can't ask ${to.socket}: EACCES; run as root`);
    return null;
  }
  return noted(error, unseen);
}
