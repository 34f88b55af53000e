import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { removeFile, replaceFile } from "./atomic_write";
import type { Action, Change, Daemon, Perform, Performers } from "./change";
import { fileError } from "./errno";
import { messageOf, UserError, withFullStop } from "./errors";
import { linuxHost } from "./host/linux";
import { runUntilSignal } from "./host/run";
import { startTicks } from "./proc";
import { Interrupted, throwIfInterrupted } from "./process_failure";
import { redactSecrets } from "./redact";

/**
 * Makes one change on this host. `performers` perform the kinds of actions that not every module has. Throws a UserError that names
 * the change and the step that failed, or Interrupted.
 */
export async function apply(change: Change, performers: Performers = {}): Promise<void> {
  const perform = async (action: Action): Promise<void> => {
    await throwIfInterrupted();
    const performer = { ...COMMON, ...performers }[action.do] as Performer | undefined;
    if (performer === undefined) throw new Error(`this module can't perform "${action.do}"`);
    await performer(action, perform);
  };
  try {
    for (const action of change.actions) await perform(action);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const message = messageOf(error);
    // That of a file begins with its path.
    throw new UserError(message.startsWith(`${change.subject}: `) ? message : `${change.subject}: ${message}`);
  }
}

type Performer = (action: Action, perform: Perform) => void | Promise<void>;

/** Those for files, kernel settings and programs. */
const COMMON: Performers = {
  write,
  chmod: ({ path, mode }) => onFile("can't be given another mode", path, () => chmodSync(path, mode)),
  remove,
  set: ({ path, value }) => onFile("can't be set", path, () => writeFileSync(path, value)),
  run: runProgram,
};

function write({ path, content, mode }: Extract<Action, { do: "write" }>): void {
  onFile("can't be written", path, () => replaceFile(path, content, mode));
}

function remove({ path }: Extract<Action, { do: "remove" }>): void {
  onFile(
    "can't be removed",
    path,
    () => removeFile(path),
    () => (existsSync(path) ? UNCHANGED : "it is removed, and may be back after a power failure"),
  );
}

const UNCHANGED = "it is unchanged";

function onFile(problem: string, path: string, make: () => void, stateAfter = (): string => UNCHANGED): void {
  try {
    make();
  } catch (error) {
    throw fileError(path, problem, error, stateAfter());
  }
}

async function runProgram({
  argv,
  timeout,
  diagnose,
  replaces,
  skipIfRunning,
  mayFail = false,
}: Extract<Action, { do: "run" }>): Promise<void> {
  if (skipIfRunning !== undefined && stillRuns(skipIfRunning)) return;
  try {
    await runUntilSignal(argv, timeout === undefined ? {} : { timeout });
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    if (mayFail && error instanceof UserError) return;
    if (replaces !== undefined && ![null, replaces.startedAt].includes(startedAt(replaces))) return;
    if (!(error instanceof UserError) || diagnose === undefined) throw error;
    throw new UserError(`${withFullStop(error.message)} ${await describeFailure(diagnose)}`);
  }
}

/** Whether the daemon has neither ended nor been replaced. */
export function stillRuns(daemon: Daemon): boolean {
  return startedAt(daemon) === daemon.startedAt;
}

/** When the running daemon was started; null if none runs. A killed daemon may have left its pid file. */
function startedAt({ pidFile }: Daemon): number | null {
  const pid = Number(linuxHost.readText(pidFile));
  return pid > 0 ? startTicks(pid, linuxHost) : null;
}

/** What a program prints about the cause of a failure. If it fails itself, its own error must not hide that failure. */
export async function describeFailure(argv: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await runUntilSignal(argv, { mayFail: true });
    return `${argv.join(" ")} printed: ${redactSecrets((stdout + stderr).trim())}`;
  } catch (error) {
    return failureOf(error);
  }
}

/** What to say of an error that must not end the rest. Throws Interrupted. */
export function failureOf(error: unknown): string {
  if (error instanceof Interrupted) throw error;
  return messageOf(error);
}
