/**
 * What a module may look at on the host it runs on. Observing goes through this alone and changes nothing. Contents of
 * files are texts of one character a byte (latin1), so that whatever is in them survives to the byte.
 */
export interface Host {
  /** The file's state, links followed, or null where there is none. Throws a UserError where it can't be read. */
  readFile(path: string): FileState | null;
  /** When the file's content was last changed, in milliseconds since 1970, or null where there is none. */
  mtime(path: string): number | null;
  /** The text of a file of the kernel's (/proc, /sys), trimmed, or null where there is none. */
  readText(path: string): string | null;
  /** The names in a folder, sorted; empty where there is none. */
  readdir(path: string): readonly string[];
  /** Where a symbolic link points, as it is written in the link, or null where there is no link. */
  readlink(path: string): string | null;
  /** The IPv4 addresses of the interfaces that are up. */
  addresses(): readonly string[];
  /** The IPv4 addresses that each of these names has for this host's programs; none where it has none, or nobody answers. */
  resolveNames(names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Runs a program to its end and returns its standard output. Throws a UserError when it fails, unless `mayFail`. */
  run(argv: readonly string[], options?: RunOptions): RunOutput;
  /** Asks a service on this host over HTTP. Returns null where nobody listens; throws a UserError on a time-out. */
  request(request: HttpRequest): Promise<HttpResponse | null>;
}

export interface FileState {
  readonly content: string;
  /** Permission bits, such as 0o644. */
  readonly mode: number;
}

export interface RunOptions {
  /** Seconds until the program is ended and the call fails; 30 unless told. */
  readonly timeout?: number;
  /** Whether a non-zero exit status is an answer rather than a failure. */
  readonly mayFail?: boolean;
}

export interface RunOutput {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a service of this host listens: at an address and port, or at a socket in the file system. */
export type Service = { readonly address: string; readonly port: number } | { readonly socket: string };

export interface HttpRequest {
  readonly to: Service;
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpResponse {
  readonly status: number;
  readonly body: string;
  /** What the service calls itself, with its version (Server), where it says so. */
  readonly server?: string;
}
