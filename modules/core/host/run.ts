import { type SpawnOptions, type StdioOptions, spawn, spawnSync } from "node:child_process";
import { errorCode, remedyOf } from "../errno";
import { BECOME_HINT, UserError } from "../errors";
import { endAtSignal, signalGroup, throwIfInterrupted } from "../process_failure";
import { redactSecrets } from "../redact";
import { hideRememberedSecrets } from "../secrets";
import { cutMiddle } from "../text";
import type { RunOptions, RunOutput } from "./host";
import { makeOutputFiles, type OutputFiles } from "./output_files";

const RUN_SECONDS = 30;
/** Where programs are searched, whatever this process's environment is. */
export const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A new process group, so that all of it can be killed. */
const SETTINGS = { env: { PATH, LC_ALL: "C" }, detached: true };

interface RunUntilSignalOptions extends Omit<RunOptions, "input"> {
  /** Variables of its environment besides PATH and LC_ALL, or instead of them. */
  readonly env?: ReadonlyMap<string, string>;
}

/** How a program ended: by a status or a signal, or `error` if it was not started or not in time. */
interface End {
  readonly pid?: number | undefined;
  readonly error?: unknown;
  readonly status: number | null;
  readonly signal: string | null;
}

/**
 * Runs a program without a shell, with messages in English. A child that it leaves behind, such as a
 * daemon, is not waited for. Throws a UserError with its error output if it can't be started, fails without `mayFail`, or times
 * out: then it is killed with all that it has started.
 */
export function run(
  argv: readonly string[],
  { timeout = RUN_SECONDS, mayFail = false, input = "" }: RunOptions = {},
): RunOutput {
  const command = commandOf(argv);
  const files = makeOutputFiles(command);
  try {
    const [program = "", ...args] = argv;
    const end = spawnSync(program, args, {
      ...SETTINGS,
      stdio: [input === "" ? "ignore" : "pipe", files.out.file, files.err.file],
      input,
      timeout: timeout * 1000,
      killSignal: "SIGKILL",
    });
    if (end.error && errorCode(end.error) === "ETIMEDOUT") signalGroup(end.pid, "SIGKILL");
    return toRunOutput(end, files, command, timeout, mayFail);
  } finally {
    files.close();
  }
}

/**
 * Runs a program as run() does, without blocking this process: at a signal, the program is ended with all that it has started, and Interrupted is
 * thrown. `shared` are open files that it gets, from file descriptor 3 on.
 */
export async function runUntilSignal(
  argv: readonly string[],
  { timeout = RUN_SECONDS, mayFail = false, env = new Map() }: RunUntilSignalOptions = {},
  shared: readonly number[] = [],
): Promise<RunOutput> {
  await throwIfInterrupted();
  const command = commandOf(argv);
  const files = makeOutputFiles(command);
  try {
    const stdio: StdioOptions = ["ignore", files.out.file, files.err.file, ...shared];
    const end = await spawnUntil(
      argv,
      { ...SETTINGS, env: { ...SETTINGS.env, ...Object.fromEntries(env) }, stdio },
      timeout,
    );
    await throwIfInterrupted();
    return toRunOutput(end, files, command, timeout, mayFail);
  } finally {
    files.close();
  }
}

function spawnUntil([program = "", ...args]: readonly string[], options: SpawnOptions, seconds: number): Promise<End> {
  return new Promise((resolve) => {
    const failed = (error: unknown): void => resolve({ error, status: null, signal: null });
    try {
      const child = spawn(program, args, options);
      endAtSignal(child);
      const limit = setTimeout(() => {
        if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
        failed(Object.assign(new Error("it takes too long"), { code: "ETIMEDOUT" }));
      }, seconds * 1000);
      child.on("error", failed);
      child.on("exit", (status, signal) => resolve({ status, signal }));
      for (const event of ["error", "exit"]) child.on(event, () => clearTimeout(limit));
    } catch (error) {
      // Some errors, such as E2BIG, are thrown.
      failed(error);
    }
  });
}

function toRunOutput(
  end: End,
  { out, err }: OutputFiles,
  command: string,
  timeout: number,
  mayFail: boolean,
): RunOutput {
  const code = end.error === undefined ? undefined : errorCode(end.error);
  switch (code) {
    case undefined:
      break;
    case "ENOENT":
      throw new UserError(
        `${command.split(" ")[0]}: must be installed on this host (found no such program, needed for: ${command}). Install it.`,
      );
    case "ETIMEDOUT":
      throw new UserError(
        `${command}: must end within ${timeout} s (found it running${describeOutput(err.read())}). See why it hangs, and run again.`,
      );
    default:
      throw new UserError(`${command}: can't be run (found ${code}). ${STARTING.get(code) ?? remedyOf(code)}`);
  }
  const [stdout, stderr] = [out.read(), err.read()];
  // A program that was killed has no exit status.
  if (end.status === null || (end.status !== 0 && !mayFail)) {
    const found = `${end.signal ?? `status ${end.status}`}${describeOutput(stderr || stdout)}`;
    throw new UserError(`${command}: must succeed (found ${found}). See its output, correct the cause and run again.`);
  }
  return { status: end.status, stdout, stderr };
}

/** A command line for messages. Its arguments may contain the operator's options, and secrets in them. */
function commandOf(argv: readonly string[]): string {
  return hideRememberedSecrets(redactSecrets(argv.join(" ")));
}

/** What to do about errors that mean something else for a program's start than for a file (execve(2), fork(2)). */
const STARTING: ReadonlyMap<string, string> = new Map([
  ["E2BIG", "Its arguments are too long: make them shorter."],
  [
    "EACCES",
    `Make it executable (chmod +x), on a file system that is not mounted noexec, and run as root${BECOME_HINT}.`,
  ],
  ["EAGAIN", "This host has too many processes (ulimit -u, sysctl kernel.pid_max): end some and run again."],
  ["ENOEXEC", "It is not a program of this host's architecture: install the right one."],
  ["EPERM", `Run as root${BECOME_HINT}.`],
]);

function describeOutput(output: string): string {
  // Secrets are hidden before anything is cut off, so that no half of one is left.
  const text = hideRememberedSecrets(redactSecrets(output.trim()));
  // The cause is what a program printed last, or first if its usage follows.
  return text === "" ? "" : `: ${cutMiddle(text, MAX_SHOWN)}`;
}

const MAX_SHOWN = 2000;
