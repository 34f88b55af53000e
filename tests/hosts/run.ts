import { spawn } from "node:child_process";

/** What a program left behind when it ended. A program that a signal ended has the status 128 + that signal. */
export interface Output {
  status: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** What the program reads from its standard input; nothing by default. */
  input?: string | Buffer;
  /** After so many seconds the program is killed and `run` throws; 60 by default. */
  timeoutSeconds?: number;
  /** Throw when the status is not 0; true by default. */
  check?: boolean;
  /** The whole environment of the program; this process's own by default. */
  environment?: Record<string, string>;
  /** How errors name the command; the argument vector by default. */
  title?: string;
}

/**
 * Runs a program to its end and returns what it printed. Throws when it can't be started or takes too long, and, unless
 * `check` is false, when it fails; the error holds the command, its status and its last words.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Output> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("there is no program to run: the argument vector is empty");
  const title = options.title ?? argv.join(" ");
  const seconds = options.timeoutSeconds ?? 60;
  // A process group of its own: nsenter doesn't pass signals on to what it starts, so a timeout kills the group.
  const child = spawn(program, args, { detached: true, ...(options.environment && { env: options.environment }) });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A program that ends without reading its input is no error of ours: its status tells.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    if (child.pid !== undefined) killGroup(child.pid);
    // A grandchild outside the group may hold the pipes open for longer than anyone wants to wait.
    child.stdout.destroy();
    child.stderr.destroy();
  }, seconds * 1000);
  const status = await new Promise<number>((resolve, reject) => {
    child.on("error", (error) => reject(new Error(`${program} can't be started: ${error.message}`)));
    child.on("close", (code, signal) => resolve(exitStatus(code, signal)));
  }).finally(() => clearTimeout(timer));
  const output = { status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
  if (late) throw new Error(`${title} was still running after ${seconds} s${lastOutput(output)}`);
  if (status !== 0 && options.check !== false) {
    throw new Error(`${title} failed with status ${status}${lastOutput(output)}`);
  }
  return output;
}

/** The status that a shell gives a program that ended with `code` or by `signal`. */
export function exitStatus(code: number | null, signal: NodeJS.Signals | null): number {
  if (code !== null) return code;
  const numbers: Partial<Record<NodeJS.Signals, number>> = {
    SIGHUP: 1,
    SIGINT: 2,
    SIGQUIT: 3,
    SIGKILL: 9,
    SIGTERM: 15,
  };
  return 128 + ((signal && numbers[signal]) ?? 0);
}

/** The last `count` lines of a text, without trailing white space. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}

function lastOutput(output: Output): string {
  const words = lastLines(output.stderr.trim() || output.stdout, 20);
  return words ? `:\n${words}` : "";
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}
