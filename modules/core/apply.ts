import { chmodSync, writeFileSync } from "node:fs";
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
      return write(action);
    case "chmod":
      return chmodSync(action.path, action.mode);
    case "remove":
      return removeFile(action.path);
    case "set":
      return writeFileSync(action.path, action.value);
    case "run":
      run(action.argv, action.timeout === undefined ? {} : { timeout: action.timeout });
      return;
    case "request":
      return accepted(action.request);
    case "await":
      return answered(action);
  }
}

function write({ path, content, mode }: Extract<Action, { do: "write" }>): void {
  try {
    replaceFile(path, content, mode);
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    throw new Refusal(`can't write ${path}: ${message}; it is as it was. ${REMEDIES.get(code) ?? ""}`.trim());
  }
}

const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "Free space on its file system and run again"],
  ["EDQUOT", "Free space on its file system and run again"],
  ["EROFS", "Its file system is mounted read-only: mount it to be written and run again"],
]);

async function accepted(wanted: HttpRequest): Promise<void> {
  const what = nameOfRequest(wanted);
  const response = await request(wanted);
  if (response === null) throw new Refusal(`${what}: nobody listens there`);
  if (response.status >= 300) throw new Refusal(`${what} answered ${response.status}: ${response.body.trim()}`);
}

async function answered({ request: wanted, timeout, onFailure }: Extract<Action, { do: "await" }>): Promise<void> {
  const end = Date.now() + timeout * 1000;
  for (;;) {
    const response = await request(wanted);
    if (response?.status === 200) return;
    if (Date.now() > end) break;
    await sleep(250);
  }
  const { stdout, stderr } = run(onFailure, { mayFail: true });
  throw new Refusal(
    `no answer to ${nameOfRequest(wanted)} within ${timeout} s. ${onFailure.join(" ")} says: ${(stdout + stderr).trim()}`,
  );
}
