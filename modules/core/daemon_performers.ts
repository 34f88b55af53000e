import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeFailure, failureOf, stillRuns } from "./apply";
import type { Action, Perform, Performers, Rollback, Try, Validate } from "./change";
import { fileError } from "./errno";
import { messageOf, RequestError, UserError } from "./errors";
import { describeRequest, REQUEST_SECONDS, request } from "./host/http";
import { linuxHost } from "./host/linux";
import { runUntilSignal } from "./host/run";
import { commandLineOf } from "./proc";
import { Interrupted } from "./process_failure";
import { redactSecrets } from "./redact";
import { startContainers, stopContainers } from "./stop_and_start";

/** Performs the actions of modules that configure a daemon: requests, containers, and steps that can be rolled back. */
export const DAEMON_PERFORMERS: Performers = {
  request: sendRequest,
  await: waitForAnswer,
  stop: stopOrStart,
  start: stopOrStart,
  fail: ({ message }) => {
    throw new UserError(message);
  },
  validate,
  try: tryWithRollback,
};

async function stopOrStart({
  do: what,
  containers,
  timeout,
  onlyIfRunning,
}: Extract<Action, { do: "stop" | "start" }>): Promise<void> {
  if (onlyIfRunning !== undefined && !stillRuns(onlyIfRunning)) return;
  return what === "stop" ? stopContainers(containers, timeout) : startContainers(containers, timeout);
}

async function sendRequest({
  request: toSend,
  acceptedStatuses = [],
}: Extract<Action, { do: "request" }>): Promise<void> {
  const what = describeRequest(toSend);
  const response = await request(toSend);
  if (response === null) {
    throw new UserError(
      `${what}: must be answered (found that nothing listens there). See whether the service runs, start it and run again.`,
    );
  }
  if (response.status >= 300 && !acceptedStatuses.includes(response.status)) {
    throw new UserError(
      `${what}: must be accepted (found the answer ${response.status}: ${response.body.trim()}). Correct the cause and run again.`,
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

async function validate({ content, argv, env = new Map() }: Validate): Promise<void> {
  const directory = candidateError(() => mkdtempSync(join(tmpdir(), "apollo-weave-")));
  const path = join(directory, "candidate");
  try {
    candidateError(() => writeFileSync(path, content, { encoding: "latin1", mode: 0o600 }));
    await runUntilSignal(
      argv.map((word) => (word === "%s" ? path : word)),
      { env },
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Calls `write`. Its error names the temporary directory, as the file is not the host's own. */
function candidateError<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw fileError(tmpdir(), "can't hold a file to be validated", error);
  }
}

async function performAll(actions: readonly Action[], perform: Perform): Promise<void> {
  for (const action of actions) await perform(action);
}

async function tryWithRollback(
  { steps, diagnose, rollback, afterwards = [], daemon }: Try,
  perform: Perform,
): Promise<void> {
  try {
    await performAll(steps, perform);
  } catch (error) {
    // The next run finishes the work, or restores what was saved.
    if (error instanceof Interrupted) throw error;
    const message = [messageOf(error)];
    if (diagnose !== undefined) message.push(await describeFailure(diagnose));
    message.push(...(await rollBack(rollback, perform)));
    for (const action of afterwards) {
      await perform(action).catch((failure: unknown) => message.push(failureOf(failure)));
    }
    if (daemon !== undefined) message.push(describeDaemon(daemon));
    throw new UserError(message.join("\n"));
  }
}

/** Tries one after the other until one succeeds. Returns what to say of it. */
async function rollBack(rollbacks: readonly Rollback[], perform: Perform): Promise<string[]> {
  const failures: string[] = [];
  for (const { steps, result } of rollbacks) {
    const failure = await performAll(steps, perform).then(() => null, failureOf);
    if (failure === null) return [...failures, result];
    failures.push(`The rollback failed too: ${failure}`);
  }
  return failures;
}

function describeDaemon({ name, pidFile }: NonNullable<Try["daemon"]>): string {
  const words = commandLineOf(Number(linuxHost.readText(pidFile)), linuxHost);
  return words === null ? `${name} does not run now.` : `${name} now runs as: ${redactSecrets(words.join(" "))}`;
}

async function outputOf(argv: readonly string[]): Promise<string> {
  try {
    return (await runUntilSignal(argv, { mayFail: true })).stdout;
  } catch (error) {
    if (error instanceof UserError) return "";
    throw error;
  }
}
