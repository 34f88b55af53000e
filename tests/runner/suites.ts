import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Suite } from "../hosts/suites";

const RECORD = join(__dirname, "../suites.json");

/** What the main path's file has tested on test hosts of a Debian suite. */
export interface SuiteResult {
  readonly suite: string;
  /** Versions: of the hosts' Docker and systemd, and of the ansible-core that ran the plays. */
  readonly docker: string;
  readonly systemd: string;
  readonly ansible: string;
  /** The names of the tests that passed, and how many there are. */
  readonly passed: readonly string[];
  readonly of: number;
  /** Of the tests for hosts of any suite; only of a run that repeats them on each suite. */
  readonly others?: { readonly passed: number; readonly of: number };
}

const MARK = "suite result: ";
const ANY_SUITE_MARK = "test hosts of any suite: ";

/** Prints a result for tests/run.ts, whose last output is a table of all of them. */
export function printSuiteResult(result: SuiteResult): void {
  console.log(`\n${MARK}${JSON.stringify(result)}`);
}

/** The results in the output of a test file. */
export function suiteResults(output: string): SuiteResult[] {
  return output
    .split("\n")
    .filter((line) => line.startsWith(MARK))
    .map((line) => JSON.parse(line.slice(MARK.length)) as SuiteResult);
}

/** Says to tests/run.ts that a file would have run on hosts of any suite, and that these are of this one. */
export function printAnySuite(suite: Suite): void {
  console.log(`\n${ANY_SUITE_MARK}${suite}`);
}

/** The suite of a file's hosts, by its output, if hosts of any suite would have done; null for other files. */
export function suiteOfAny(output: string): string | null {
  const line = output.split("\n").find((each) => each.startsWith(ANY_SUITE_MARK));
  return line === undefined ? null : line.slice(ANY_SUITE_MARK.length);
}

/** The lines of a table of results, by suite; none where there is no result. */
export function suiteTable(results: readonly SuiteResult[]): string[] {
  if (results.length === 0) return [];
  const hasOthers = results.some(({ others }) => others !== undefined);
  const head = ["Debian", "Docker", "systemd", "ansible-core", "main path", ...(hasOthers ? ["other tests"] : [])];
  const rows = results.map(({ suite, docker, systemd, ansible, passed, of, others }) => [
    suite,
    docker,
    systemd,
    ansible,
    `${passed.length} of ${of} passed`,
    others === undefined ? "" : `${others.passed} of ${others.of} passed`,
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? "").length)));
  return [head, ...rows.sort()].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** The checked-in record of results, by suite, in the order of their systemd. */
export function readRecord(): SuiteResult[] {
  return existsSync(RECORD) ? (JSON.parse(readFileSync(RECORD, "utf8")) as SuiteResult[]) : [];
}

/** Writes these results to the checked-in record, in place of those of the same suites. */
export function writeRecord(results: readonly SuiteResult[]): void {
  const others = readRecord().filter(({ suite }) => results.every((result) => result.suite !== suite));
  const all = [...others, ...results].sort((one, other) => Number(one.systemd) - Number(other.systemd));
  writeFileSync(RECORD, `${JSON.stringify(all, null, 2)}\n`);
}
