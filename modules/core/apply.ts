import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { removeFile, replaceFile } from "./atomic_write";
import type { Action, Change, Daemon, Rollback, Try, Validate } from "./change";
import { fileError } from "./errno";
import { messageOf, RequestError, UserError, withFullStop } from "./errors";
import type { HttpRequest } from "./host/host";
import { describeRequest, REQUEST_SECONDS, request } from "./host/http";
import { linuxHost } from "./host/linux";
import { runUntilSignal } from "./host/run";
import { commandLineOf, startTicks } from "./proc";
import { Interrupted, throwIfInterrupted } from "./process_failure";
import { redactSecrets } from "./redact";
import { startContainers, stopContainers } from "./stop_and_start";

/** Makes one change on this host. Throws a UserError that names the change and the step that failed, or Interrupted. */
export async function apply(change: Change): Promise<void> {
  try {
    await performAll(change.actions);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const message = messageOf(error);
    // That of a file begins with its path.
    throw new UserError(message.startsWith(`${change.subject}: `) ? message : `${change.subject}: ${message}`);
  }
}

async function performAll(actions: readonly Action[]): Promise<void> {
  for (const action of actions) await perform(action);
}

async function perform(action: Action): Promise<void> {
  await throwIfInterrupted();
  switch (action.do) {
    case "write":
      return write(action);
    case "chmod":
      return onFile("can't be given another mode", action.path, () => chmodSync(action.path, action.mode));
    case "remove":
      return remove(action.path);
    case "set":
      return onFile("can't be set", action.path, () => writeFileSync(action.path, action.value));
    case "run":
      return runProgram(action);
    case "request":
      return sendRequest(action.request, action.acceptedStatuses);
    case "await":
      return waitForAnswer(action);
    case "stop":
    case "start":
      return stopOrStart(action);
    case "fail":
      throw new UserError(action.message);
    case "validate":
      return validate(action);
    case "try":
      return tryWithRollback(action);
  }
}

function write({ path, content, mode }: Extract<Action, { do: "write" }>): void {
  onFile("can't be written", path, () => replaceFile(path, content, mode));
}

function remove(path: string): void {
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

async function stopOrStart({
  do: what,
  containers,
  timeout,
  onlyIfRunning,
}: Extract<Action, { do: "stop" | "start" }>): Promise<void> {
  if (onlyIfRunning !== undefined && !stillRuns(onlyIfRunning)) return;
  return what === "stop" ? stopContainers(containers, timeout) : startContainers(containers, timeout);
}

function stillRuns(daemon: Daemon): boolean {
  return startedAt(daemon) === daemon.startedAt;
}

/** When the running daemon was started; null if none runs. A killed daemon may have left its pid file. */
function startedAt({ pidFile }: Daemon): number | null {
  const pid = Number(linuxHost.readText(pidFile));
  return pid > 0 ? startTicks(pid, linuxHost) : null;
}

async function sendRequest(toSend: HttpRequest, acceptedStatuses: readonly number[] = []): Promise<void> {
  const what = describeRequest(toSend);
  const response = await request(toSend);
  if (response === null) {
    throw new UserError(
      `${what}: must be answered (found that nothing listens there). See whether the service runs, start it and run again.`,
    );
  }
  if (response.status >= 300 && !acceptedStatuses.includes(response.status)) {
    throw new UserError(
      `${what}: must be accepted (found the answer ${response.status}: ${response.body.trim()}). Correct that and run again.`,
    );
  }
}

async function waitForAnswer({
  request: toSend,
  timeout,
  diagnose,
  giveUp,
}: Extract<Action, { do: "await" }>): Promise<void> {
  const end = Date.now() + timeout * 1000;
  let last = "nothing listens there";
  for (;;) {
    try {
      const left = Math.max(1, (end - Date.now()) / 1000);
      const response = await request(toSend, Math.min(left, REQUEST_SECONDS));
      if (response?.status === 200) return;
      if (response !== null) last = `answered ${response.status}`;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      last = error instanceof RequestError ? error.found : error.message.replace(/\.$/, "");
    }
    if (giveUp?.pattern.test(await outputOf(giveUp.argv))) {
      throw new UserError(
        `${describeRequest(toSend)}: must be answered (found: ${last}). ${await describeFailure(diagnose)}`,
      );
    }
    if (Date.now() > end) break;
    await sleep(250);
  }
  throw new UserError(
    `${describeRequest(toSend)}: must be answered within ${timeout} s (found at the last try: ${last}). ${await describeFailure(diagnose)}`,
  );
}

async function validate({ content, argv }: Validate): Promise<void> {
  const directory = candidateError(() => mkdtempSync(join(tmpdir(), "apollo-weave-")));
  const path = join(directory, "candidate");
  try {
    candidateError(() => writeFileSync(path, content, { encoding: "latin1", mode: 0o600 }));
    await runUntilSignal(argv.map((word) => (word === "%s" ? path : word)));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Nothing of the host's own is in the directory for temporary files. */
function candidateError<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw fileError(tmpdir(), "can't hold a file to be validated", error);
  }
}

async function tryWithRollback({ steps, diagnose, rollback, afterwards = [], daemon }: Try): Promise<void> {
  try {
    await performAll(steps);
  } catch (error) {
    // The next run finishes the work, or restores what was saved.
    if (error instanceof Interrupted) throw error;
    const message = [messageOf(error)];
    if (diagnose !== undefined) message.push(await describeFailure(diagnose));
    message.push(...(await rollBack(rollback)));
    for (const action of afterwards) {
      await perform(action).catch((failure: unknown) => message.push(failureOf(failure)));
    }
    if (daemon !== undefined) message.push(describeDaemon(daemon));
    throw new UserError(message.join("\n"));
  }
}

/** Tries one after the other until one succeeds. Returns what to say of it. */
async function rollBack(rollbacks: readonly Rollback[]): Promise<string[]> {
  const failures: string[] = [];
  for (const { steps, result } of rollbacks) {
    const failure = await performAll(steps).then(() => null, failureOf);
    if (failure === null) return [...failures, result];
    failures.push(`The rollback failed too: ${failure}`);
  }
  return failures;
}

function failureOf(error: unknown): string {
  if (error instanceof Interrupted) throw error;
  return messageOf(error);
}

function describeDaemon({ name, pidFile }: NonNullable<Try["daemon"]>): string {
  const words = commandLineOf(Number(linuxHost.readText(pidFile)), linuxHost);
  return words === null ? `${name} does not run now.` : `${name} now runs as: ${redactSecrets(words.join(" "))}`;
}

/** What a program prints about the cause of a failure. If it fails itself, its own error must not hide that failure. */
async function describeFailure(argv: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await runUntilSignal(argv, { mayFail: true });
    return `${argv.join(" ")} printed: ${redactSecrets((stdout + stderr).trim())}`;
  } catch (error) {
    return failureOf(error);
  }
}

async function outputOf(argv: readonly string[]): Promise<string> {
  try {
    return (await runUntilSignal(argv, { mayFail: true })).stdout;
  } catch (error) {
    if (error instanceof UserError) return "";
    throw error;
  }
}
