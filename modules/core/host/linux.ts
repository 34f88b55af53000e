import { spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from "node:fs";
import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { fileError, remedyOf } from "../errno";
import { UserError } from "../errors";
import { redactSecrets } from "../redact";
import { hideSecrets } from "../secrets";
import type { FileState, Host, RunOptions, RunOutput } from "./host";
import { request } from "./http";
import { withOutputFiles } from "./output_files";
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
    const code = errorCode(error);
    // EINVAL: not a link, or an attribute that the device does not have. ESRCH: the process has ended.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EINVAL" || code === "ESRCH") return null;
    throw fileError("read", path, error);
  }
}

/**
 * Runs a program without a shell, with messages in English and an empty standard input. A child that it leaves behind, such as a
 * daemon, is not waited for. Throws a UserError with its error output if it can't be started, fails without `mayFail`, or times
 * out: then it is killed with all that it has started.
 */
export function run(argv: readonly string[], { timeout = RUN_SECONDS, mayFail = false }: RunOptions = {}): RunOutput {
  const [program = "", ...args] = argv;
  // The arguments may contain the operator's options, and secrets in them.
  const command = hideSecrets(redactSecrets(argv.join(" ")));
  return withOutputFiles(command, (out, err) => {
    const { error, pid, status, signal } = spawnSync(program, args, {
      env: { PATH, LC_ALL: "C" },
      stdio: ["ignore", out.file, err.file],
      timeout: timeout * 1000,
      killSignal: "SIGKILL",
      // A process group of its own, so that all of it can be killed.
      ...{ detached: true },
    });
    const code = error && errorCode(error);
    if (code === "ETIMEDOUT") killGroup(pid);
    switch (code) {
      case undefined:
        break;
      case "ENOENT":
        throw new UserError(`program not found on this host: ${program}, needed for: ${command}`);
      case "ETIMEDOUT":
        throw new UserError(`timed out after ${timeout} s: ${command}${outputOf(err.read())}`);
      default:
        throw new UserError(`can't run ${command}: ${code}. ${STARTING.get(code) ?? remedyOf(code)}`);
    }
    const [stdout, stderr] = [out.read(), err.read()];
    // A program that was killed has no exit status.
    if (status === null || (status !== 0 && !mayFail)) {
      throw new UserError(`${command} ended with ${signal ?? `status ${status}`}${outputOf(stderr || stdout)}`);
    }
    return { status, stdout, stderr };
  });
}

/** What to do about errors that mean something else for a program's start than for a file (execve(2), fork(2)). */
const STARTING: ReadonlyMap<string, string> = new Map([
  ["E2BIG", "Its arguments are too long: make them shorter."],
  [
    "EACCES",
    "Make it executable (chmod +x), on a file system that is not mounted noexec, and run as root (become: true).",
  ],
  ["EAGAIN", "This host has too many processes (ulimit -u, sysctl kernel.pid_max): end some and run again."],
  ["ENOEXEC", "It is not a program of this host's architecture: install the right one."],
  ["EPERM", "Run as root (become: true)."],
]);

/** The program's children may have ended with it. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

function outputOf(output: string): string {
  // Secrets are hidden before anything is cut off, so that no half of one is left.
  const text = hideSecrets(redactSecrets(output.slice(-MAX_SEARCHED).trim()));
  return text === "" ? "" : `: ${text.length > 2000 ? `…${text.slice(-2000)}` : text}`;
}

const MAX_SEARCHED = 2 ** 18;

function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
