import { chmodSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Action, Change } from "./change";
import type { HttpRequest } from "./host";
import { nameOfRequest, request, run } from "./linux_host";
import { Refusal } from "./refusal";
import { removeFile, replaceFile } from "./replace_file";

/** Makes one change on this host. Throws a Refusal that names the change and the step that failed. */
export async function apply(change: Change): Promise<void> {
  for (const action of change.actions) {
    try {
      await perform(action);
    } catch (error) {
      throw new Refusal(`${change.subject}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

async function perform(action: Action): Promise<void> {
  switch (action.do) {
    case "write":
      return replaceFile(action.path, action.content, action.mode);
    case "chmod":
      return chmodSync(action.path, action.mode);
    case "remove":
      return removeFile(action.path);
    case "run":
      return succeed(action);
    case "request":
      return accepted(action.request);
    case "await":
      return answered(action);
  }
}

function succeed({ argv, timeout, onFailure }: Extract<Action, { do: "run" }>): void {
  try {
    run(argv, timeout === undefined ? {} : { timeout });
  } catch (error) {
    if (!(error instanceof Refusal) || onFailure === undefined) throw error;
    throw new Refusal(`${error.message}. ${explanation(onFailure)}`);
  }
}

async function accepted(wanted: HttpRequest): Promise<void> {
  const what = nameOfRequest(wanted);
  const response = await request(wanted);
  if (response === null) throw new Refusal(`${what}: nobody listens there`);
  if (response.status >= 300) throw new Refusal(`${what} answered ${response.status}: ${response.body.trim()}`);
}

async function answered({ request: wanted, timeout, onFailure }: Extract<Action, { do: "await" }>): Promise<void> {
  const end = Date.now() + timeout * 1000;
  let last = "nobody listens there";
  for (;;) {
    try {
      const response = await request(wanted);
      if (response?.status === 200) return;
      if (response !== null) last = `answered ${response.status}`;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      last = error.message;
    }
    if (Date.now() > end) break;
    await sleep(250);
  }
  throw new Refusal(
    `no answer to ${nameOfRequest(wanted)} within ${timeout} s. The last try: ${last}. ${explanation(onFailure)}`,
  );
}

function explanation(argv: readonly string[]): string {
  const { stdout, stderr } = run(argv, { mayFail: true });
  return `${argv.join(" ")} says: ${(stdout + stderr).trim()}`;
}
