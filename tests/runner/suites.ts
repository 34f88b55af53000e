import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const RECORD = join(__dirname, "../suites.json");

/** What a file has tested on test hosts of a Debian suite. */
export interface SuiteResult {
  readonly suite: string;
  /** Versions: of the hosts' Docker and systemd, and of the ansible-core that ran the plays. */
  readonly docker: string;
  readonly systemd: string;
  readonly ansible: string;
  /** The names of the tests that passed, and how many there are. */
  readonly passed: readonly string[];
  readonly of: number;
}

const MARK = "suite result: ";

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

/** The lines of a table of results, by suite; none where there is no result. */
export function suiteTable(results: readonly SuiteResult[]): string[] {
  if (results.length === 0) return [];
  const head = ["Debian", "Docker", "systemd", "ansible-core", "main path"];
  const rows = results.map(({ suite, docker, systemd, ansible, passed, of }) => [
    suite,
    docker,
    systemd,
    ansible,
    `${passed.length} of ${of} passed`,
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
