import type { FileState, Host, HttpRequest, HttpResponse, RunOutput } from "../../../modules/core/host/host";
import { describeRequest } from "../../../modules/core/host/http";

/** A host in memory, as far as a test says what is on it. All else is absent. */
export interface Contents {
  readonly files?: Readonly<Record<string, string | FileState>>;
  /** Milliseconds since 1970. */
  readonly modified?: Readonly<Record<string, number>>;
  readonly kernel?: Readonly<Record<string, string>>;
  readonly names?: Readonly<Record<string, readonly string[]>>;
  readonly links?: Readonly<Record<string, string>>;
  /** The IPv4 addresses of its interfaces. */
  readonly addresses?: readonly string[];
  /** A name to the IPv4 addresses that it resolves to. */
  readonly lookups?: Readonly<Record<string, readonly string[]>>;
  /** A command line to its standard output. */
  readonly programs?: Readonly<Record<string, string>>;
  /** "GET 127.0.0.1:6784/report" to what is answered. */
  readonly services?: Readonly<Record<string, HttpResponse>>;
}

/** Makes such a host. A program that the test does not know is an error: nothing else may be run. */
export function memoryHost(contents: Contents): Host {
  const {
    files = {},
    modified = {},
    kernel = {},
    names = {},
    links = {},
    programs = {},
    services = {},
    addresses = [],
    lookups = {},
  } = contents;
  return {
    readFile: (path) => {
      const file = files[path];
      return file === undefined ? null : typeof file === "string" ? { content: file, mode: 0o644 } : file;
    },
    mtime: (path) => modified[path] ?? null,
    readText: (path) => kernel[path] ?? null,
    readdir: (path) => names[path] ?? [],
    readlink: (path) => links[path] ?? null,
    addresses: () => addresses,
    resolveNames: async (all) => new Map(all.map((name) => [name, lookups[name] ?? []])),
    run: (argv): RunOutput => {
      const stdout = programs[argv.join(" ")];
      if (stdout === undefined) throw new Error(`nobody was to run: ${argv.join(" ")}`);
      return { status: 0, stdout, stderr: "" };
    },
    request: async (request: HttpRequest) => services[describeRequest(request)] ?? null,
  };
}
