import { spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from "node:fs";
import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { UserError } from "../errors";
import { redactSecrets } from "../redact";
import type { FileState, Host, RunOptions, RunOutput } from "./host";
import { request } from "./http";
import { resolveNames } from "./resolve";
import { foreignPart } from "./trust";

const RUN_SECONDS = 30;
/** Where programs are searched, whatever this process's environment is. */
export const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The host that this process runs on. */
export const linuxHost: Host = {
  readFile,
  readStart,
  changedAt,
  foreignPart: (path) => unlessAbsent(path, () => foreignPart(path)),
  readText,
  readdir,
  readlink,
  addresses,
  resolveNames,
  run,
  request: (toSend) => request(toSend),
};

function readFile(path: string): FileState | null {
  return unlessAbsent(path, () => {
    const stat = statSync(path);
    if (!stat.isFile()) throw new UserError(`${path} is not a regular file; move it away`);
    return { content: readFileSync(path, "latin1"), mode: stat.mode & 0o7777 };
  });
}

function readStart(path: string, bytes: number): string | null {
  return unlessAbsent(path, () => {
    const file = openSync(path, "r");
    try {
      const start = Buffer.alloc(bytes);
      return start.toString("latin1", 0, readSync(file, start, 0, bytes, 0));
    } finally {
      closeSync(file);
    }
  });
}

function changedAt(path: string): number | null {
  return unlessAbsent(path, () => statSync(path).ctimeMs);
}

function readText(path: string): string | null {
  return unlessAbsent(path, () => readFileSync(path, "latin1").trim());
}

function readdir(path: string): readonly string[] {
  return unlessAbsent(path, () => readdirSync(path).sort()) ?? [];
}

function readlink(path: string): string | null {
  return unlessAbsent(path, () => readlinkSync(path));
}

function addresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  // The family is a text or a number, depending on the version of Node.
  return all.map(({ address }) => address).filter(isIPv4);
}

function unlessAbsent<T>(path: string, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = errorCode(error);
    // EINVAL: not a link, or an attribute that the device does not have. ESRCH: the process has ended.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EINVAL" || code === "ESRCH") return null;
    throw new UserError(`can't read ${path}: ${code}; ${READING.get(code) ?? "check its file system"}`);
  }
}

const READING: ReadonlyMap<string, string> = new Map([
  ["EACCES", "run as root (become: true)"],
  ["EPERM", "run as root (become: true)"],
  ["ELOOP", "its links form a loop: remove them"],
]);

/**
 * Runs a program without a shell, with messages in English and an empty standard input. Throws a UserError with its error output
 * if it can't be started, times out, or fails without `mayFail`.
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
  // The arguments may contain the operator's options, and secrets in them.
  const command = redactSecrets(argv.join(" "));
  switch (error && errorCode(error)) {
    case undefined:
      break;
    case "ENOENT":
      throw new UserError(`program not found on this host: ${program}, needed for: ${command}`);
    case "ETIMEDOUT":
      throw new UserError(`timed out after ${timeout} s: ${command}${outputOf(stderr)}`);
    default:
      throw new UserError(`can't run ${command}: ${redactSecrets(error?.message ?? "")}`);
  }
  // A program that was killed has no exit status.
  if (status === null || (status !== 0 && !mayFail)) {
    throw new UserError(`${command} ended with ${signal ?? `status ${status}`}${outputOf(stderr || stdout)}`);
  }
  return { status, stdout, stderr };
}

function outputOf(output: string): string {
  const text = redactSecrets(output.trim());
  return text === "" ? "" : `: ${text.length > 2000 ? `…${text.slice(-2000)}` : text}`;
}

function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
