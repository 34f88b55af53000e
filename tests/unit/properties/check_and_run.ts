import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Module } from "../../../modules/core/module";
import type { OptionTable } from "../../../modules/core/options";
import { type Result, runModule } from "../../../modules/core/run_module";
import { Directory } from "../support/fake_host/directory";
import type { FakeHost } from "../support/fake_host/fake_host";
import { ELSEWHERE } from "./found_files";

export type Options = Readonly<Record<string, unknown>>;

/** Calls `use` with a new directory in memory, so that the many small files of many hosts are cheap. */
export async function inMemory(use: (directory: Directory) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "apollo-weave-promise-"));
  try {
    await use(new Directory(directory));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Runs a module on a fake host; null is left out, as Ansible's `omit`. */
export function runOn<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
  host: FakeHost,
  options: Options,
  check = false,
): Promise<Result> {
  const given = new Map(Object.entries(options).filter(([, value]) => value !== null));
  return runModule(module, given, { check, diff: true }, host, host.apply);
}

/** Runs a module that is interrupted after so many steps. */
export async function interrupt<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
  host: FakeHost,
  options: Options,
  steps: number,
): Promise<void> {
  host.stepsLeft = steps;
  await runOn(module, host, options);
  host.stepsLeft = Number.POSITIVE_INFINITY;
}

/** What a module may do to files without a word in its changes: keep its own state, hand something to a unit. */
const UNREPORTED_PATHS = /^\/(var\/lib\/apollo-weave|run)\//;

/**
 * Fails unless a check touches nothing and says of the run all that it then does: each change with its before and after,
 * and every file that differs afterwards, to the byte. A run fails with the same error as its check, and then touches nothing.
 * Returns what the run said. `live` are the facts that only a run can know; `shown` takes a file's content and returns what a diff may show of it.
 */
export async function assertCheckPredictsRun<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
  host: FakeHost,
  options: Options,
  {
    live = [],
    shown = (text) => text,
  }: { live?: readonly string[]; shown?: (text: string, path: string) => string } = {},
): Promise<Result> {
  const [everything, before] = [host.everything(), host.files()];
  const check = await runOn(module, host, options, true);
  assert.equal(host.everything(), everything, "the check has touched something");
  assert.is(check["exception"], undefined, String(check["exception"]));

  const run = await runOn(module, host, options);
  const said = ({ ...result }: Record<string, unknown>): object => {
    for (const fact of live) delete result[fact];
    return result;
  };
  assert.equal(said(run), said(check), "the run has done something else than the check said");
  if (run.failed) {
    assert.equal(host.everything(), everything, "a rejected run has touched something");
    return run;
  }
  const after = host.files();
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(path), after.get(path)];
    if (old !== now && !UNREPORTED_PATHS.test(path)) assertSaid(check, path, old, now, shown);
  }
  return run;
}

function assertSaid(
  check: Result,
  path: string,
  old: string | undefined,
  now: string | undefined,
  shown: (text: string, path: string) => string,
): void {
  const [, started] = /\.(?:wants|requires)\/(.*)$/.exec(path) ?? [];
  if (started !== undefined) {
    assert.ok(check.changes?.includes(`${started}: started by`), `${path} was changed without a word`);
    return;
  }
  // A file that a link leads to is changed by the link's name.
  const name = path.startsWith(ELSEWHERE) ? path.slice(ELSEWHERE.length) : path;
  const found = check.diff?.find(({ after_header }) => after_header.replace(/: mode$/, "") === name);
  const text = (entry: string): string => shown(textOf(entry.replace(/^\d+ /, "")), name);
  assert.ok(found, `${path} was changed without a word: ${JSON.stringify([old, now])}`);
  if (found.after_header.endsWith(": mode")) return;
  assert.is(shown(found.after, name), now === undefined ? "" : text(now), `${path} is not as the diff has it`);
  if (old !== undefined && !old.startsWith("->"))
    assert.is(shown(found.before, name), text(old), `${path} was not as the diff has it`);
}

/** The bytes of a file, as a diff shows them. */
function textOf(content: string): string {
  return Buffer.from(content, "latin1").toString("utf8");
}
