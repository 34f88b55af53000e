import { UserError } from "../../../../modules/core/errors";
import type { FileState, HttpResponse } from "../../../../modules/core/host/host";
import { describeRequest } from "../../../../modules/core/host/http";
import { done, type Part } from "./part";

/** What a test lists of a host. */
export interface Contents {
  readonly files?: Readonly<Record<string, string | FileState>>;
  /** Milliseconds since 1970. */
  readonly modified?: Readonly<Record<string, number>>;
  /** Files that are read as text; null for one that another part has and this host does not. */
  readonly kernel?: Readonly<Record<string, string | null>>;
  readonly names?: Readonly<Record<string, readonly string[]>>;
  readonly links?: Readonly<Record<string, string>>;
  /** The IPv4 addresses of its interfaces. */
  readonly addresses?: readonly string[];
  /** A name to the IPv4 addresses that it resolves to. */
  readonly lookups?: Readonly<Record<string, readonly string[]>>;
  /** A command line to its standard output. */
  readonly programs?: Readonly<Record<string, string>>;
  /** "GET 127.0.0.1:6784/report" to the response. */
  readonly services?: Readonly<Record<string, HttpResponse>>;
}

/** The part of a host that has just these contents. */
export function listed(contents: Contents): Part {
  const { addresses } = contents;
  return {
    readFile: (path) => {
      // As readFile() of the real host.
      if (entry(contents.links, path) === "/dev/null")
        throw new UserError(`${path}: must be a regular file (found a device). Move it away and run again.`);
      const file = entry(contents.files, path);
      return typeof file === "string" ? { content: file, mode: 0o644 } : file;
    },
    changedAt: (path) => entry(contents.modified, path),
    readText: (path) => entry(contents.kernel, path),
    readdir: (path) => entry(contents.names, path),
    readlink: (path) => entry(contents.links, path),
    ...(addresses && { addresses: () => addresses }),
    resolveName: (name) => entry(contents.lookups, name),
    run: (argv) => {
      const stdout = entry(contents.programs, argv.join(" "));
      return stdout === undefined ? undefined : done(stdout);
    },
    request: (request) => entry(contents.services, describeRequest(request)),
  };
}

/** An own entry only: a name may be "constructor". */
function entry<Value>(entries: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined {
  return entries && Object.hasOwn(entries, name) ? entries[name] : undefined;
}
