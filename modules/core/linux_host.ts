import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { masked } from "../formats/secrets";
import type { FileState, Host, HttpRequest, HttpResponse, RunOptions, RunOutput } from "./host";
import { lookUp } from "./look_up";
import { Refusal } from "./refusal";

const RUN_SECONDS = 30;
const REQUEST_SECONDS = 10;
/** Where programs are looked for, whatever this process's own environment says. */
export const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The host that this process runs on. */
export const linuxHost: Host = { file, modified, kernel, names, link, addresses, lookUp, run, request };

function file(path: string): FileState | null {
  return unlessAbsent(path, () => {
    const stat = statSync(path);
    if (!stat.isFile()) throw new Refusal(`${path} is not a regular file; move it away`);
    return { content: readFileSync(path, "latin1"), mode: stat.mode & 0o7777 };
  });
}

function modified(path: string): number | null {
  return unlessAbsent(path, () => statSync(path).mtimeMs);
}

function kernel(path: string): string | null {
  return unlessAbsent(path, () => readFileSync(path, "latin1").trim());
}

function names(path: string): readonly string[] {
  return unlessAbsent(path, () => readdirSync(path).sort()) ?? [];
}

function link(path: string): string | null {
  return unlessAbsent(path, () => readlinkSync(path));
}

function addresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  // Versions of Node since 16 have the family as a text and as a number.
  return all.map(({ address }) => address).filter(isIPv4);
}

function unlessAbsent<T>(path: string, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const code = errorCode(error);
    // EINVAL: not a link, or a kernel attribute that this device does not have. ESRCH: the process has ended meanwhile.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EINVAL" || code === "ESRCH") return null;
    throw new Refusal(`can't read ${path}: ${code}; ${READING.get(code) ?? "mend its file system"}`);
  }
}

const READING: ReadonlyMap<string, string> = new Map([
  ["EACCES", "run as root (become: true)"],
  ["EPERM", "run as root (become: true)"],
  ["ELOOP", "its links lead in a circle: remove them"],
]);

/**
 * Runs a program without a shell, with messages in English and nothing on its standard input. Throws a Refusal with its
 * error output where it can't be started, runs out of time, or fails and may not.
 */
export function run(argv: readonly string[], { timeout = RUN_SECONDS, mayFail = false }: RunOptions = {}): RunOutput {
  const [program = "", ...args] = argv;
  const { error, status, signal, stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    env: { PATH, LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeout * 1000,
    killSignal: "SIGKILL",
    maxBuffer: 64 * 1024 * 1024,
  });
  // Another's options may be among the words, with what is secret in them.
  const command = masked(argv.join(" "));
  switch (error && errorCode(error)) {
    case undefined:
      break;
    case "ENOENT":
      throw new Refusal(`there is no program ${program} on this host, needed for: ${command}`);
    case "ETIMEDOUT":
      throw new Refusal(`no end within ${timeout} s: ${command}${said(stderr)}`);
    default:
      throw new Refusal(`can't run ${command}: ${masked(error?.message ?? "")}`);
  }
  // A program that was killed has given no answer.
  if (status === null || (status !== 0 && !mayFail)) {
    throw new Refusal(`${command} ended with ${signal ?? `status ${status}`}${said(stderr || stdout)}`);
  }
  return { status, stdout, stderr };
}

function said(output: string): string {
  const text = masked(output.trim());
  return text === "" ? "" : `: ${text.length > 2000 ? `…${text.slice(-2000)}` : text}`;
}

/** Sends one HTTP request to this host. Returns null where nobody listens; throws a Refusal where no answer comes in time. */
export function request({ to, method, path, headers, body }: HttpRequest): Promise<HttpResponse | null> {
  const target = "socket" in to ? { socketPath: to.socket } : { host: to.address, port: to.port };
  const what = nameOfRequest({ to, method, path });
  return new Promise((resolve, reject) => {
    const call = httpRequest({ ...target, method, path, headers: { ...headers }, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
      response.on("error", fail);
    });
    const fail = (error: Error): void => {
      if (NOBODY_LISTENS.has(errorCode(error))) resolve(null);
      else reject(error instanceof Refusal ? error : new Refusal(`${what}: ${error.message}`));
    };
    // A limit on the whole exchange: a service that sends a byte now and then must not hold the run either.
    const limit = setTimeout(
      () => call.destroy(new Refusal(`no answer within ${REQUEST_SECONDS} s: ${what}`)),
      REQUEST_SECONDS * 1000,
    );
    call.on("error", fail);
    call.on("close", () => clearTimeout(limit));
    call.end(body);
  });
}

// ENOENT: there is no such socket. ECONNRESET: whoever listened has just ended.
const NOBODY_LISTENS = new Set(["ECONNREFUSED", "ECONNRESET", "ENOENT"]);

/** A request in words, for messages. */
export function nameOfRequest({ to, method, path }: Pick<HttpRequest, "to" | "method" | "path">): string {
  return `${method} ${"socket" in to ? to.socket : `${to.address}:${to.port}`}${path}`;
}

function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
