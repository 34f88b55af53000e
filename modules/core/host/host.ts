/**
 * How a module reads the host that it runs on. Contents of files are texts with one character per byte (latin1), so that
 * every byte is kept.
 */
export interface Host {
  /** A file's content and mode, links followed; null if it does not exist. Throws a UserError if it can't be read. */
  readFile(path: string): FileState | null;
  /** The first `bytes` bytes of a file, or all if it is shorter; null if it does not exist. */
  readStart(path: string, bytes: number): string | null;
  /** When the file's content, name or mode last changed (ctime, which can't be set), in milliseconds since 1970; null if it does not exist. */
  changedAt(path: string): number | null;
  /**
   * Describes the first component of a path that a user other than root owns or can write to; null if there is none. Throws a
   * UserError if it can't be read.
   */
  writableByOthers(path: string): string | null;
  /** The trimmed text of a kernel file (/proc, /sys); null if it does not exist. */
  readText(path: string): string | null;
  /** The names in a directory, sorted; empty if it does not exist. */
  readdir(path: string): readonly string[];
  /** The text of a symbolic link; null if there is none. */
  readlink(path: string): string | null;
  /** The IPv4 addresses of the interfaces that are up. */
  addresses(): readonly string[];
  /** The IPv4 addresses of host names, as this host resolves them; none for a name that can't be resolved. */
  resolveNames(names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Runs a program and returns its output. Throws a UserError if it fails, unless `mayFail`. */
  run(argv: readonly string[], options?: RunOptions): RunOutput;
  /** Sends an HTTP request to a service on this host. Null if nothing listens there. Throws a UserError on a timeout. */
  request(request: HttpRequest): Promise<HttpResponse | null>;
}

/** A regular file on the host. */
export interface FileState {
  readonly content: string;
  /** Permission bits, such as 0o644. */
  readonly mode: number;
  /** The id of the user who owns it. */
  readonly owner?: number;
}

export interface RunOptions {
  /** Seconds after which the program is killed and the call fails; 30 by default. */
  readonly timeout?: number;
  /** Whether a non-zero exit status is a result rather than a failure. */
  readonly mayFail?: boolean;
  /** Its standard input; empty by default. */
  readonly input?: string;
}

export interface RunOutput {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a service listens: an address and port, or a Unix socket. */
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
  /** The header Server: the service's name and version. */
  readonly server?: string;
}
