import { readdirSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join, relative } from "node:path";
import { Cluster } from "./hosts/cluster";
import { SUITES, type Suite } from "./hosts/suites";
import { type Durations, longestFirst, readDurations, writeDurations } from "./runner/durations";
import { type SuiteResult, suiteOfAny, suiteResults, suiteTable, writeRecord } from "./runner/suites";
import { type Outcome, ROOT, TestFile } from "./runner/test_file";

/** The prefix of the names of the clusters. */
const CLUSTER = process.env["E2E_CLUSTER"] ?? "e2e";
/** What a file with five test hosts takes. */
const BYTES_PER_FILE = 4 * 2 ** 30;
const LIMIT_SECONDS = 900;
/** The factor for the limit with --all. */
const ALL_FACTOR = 12;

const options = process.argv.slice(2).filter((word) => word.startsWith("--"));
const directories = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const all = options.includes("--all");
const limit = Number(process.env["TEST_LIMIT_SECONDS"] ?? LIMIT_SECONDS * (all ? ALL_FACTOR : 1));
const seed = process.env["TEST_SEED"] ?? String(Date.now() % 1_000_000);

/** A file to run: on hosts of this suite, with samples of its cases, where it has run on those of its own choice before. */
interface Run {
  readonly path: string;
  readonly suite: Suite | null;
}

/** The files that are running. */
const running = new Set<TestFile>();
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    interrupted = true;
    for (const file of running) file.end(signal);
  });
}

/**
 * Runs the test files of the given directories (tests/unit and so on), or the given files, each in its own process, the longest
 * first, and ends with the line "N passed, N failed". A file that runs no test is a failure, which uvu by itself does not see.
 * With --all, tests that try a sample of their cases try all of them, and each file for hosts of any Debian suite then runs
 * on the other suites, too. With --record, the durations are written to tests/durations.json, and what passed per suite to
 * tests/suites.json.
 */
async function main(): Promise<void> {
  for (const option of options) {
    if (option !== "--all" && option !== "--record") throw new Error(`unknown option ${option}`);
  }
  const queue: Run[] = longestFirst(directories.flatMap(filesOf), readDurations()).map((path) => ({
    path,
    suite: null,
  }));
  process.stderr.write(`samples by TEST_SEED=${seed}\n`);
  const total = { passed: 0, failed: 0 };
  const durations: Record<string, number> = {};
  const suites: SuiteResult[] = [];
  const others: Record<string, NonNullable<SuiteResult["others"]>> = {};
  const report = ({ path, suite }: Run, { passed, failed, output, seconds }: Outcome): void => {
    total.passed += passed;
    total.failed += failed;
    if (failed === 0 && suite === null) durations[path] = seconds;
    suites.push(...suiteResults(output));
    const ofAny = suite ?? suiteOfAny(output);
    if (all && ofAny !== null) {
      const before = others[ofAny] ?? { passed: 0, of: 0 };
      others[ofAny] = { passed: before.passed + passed, of: before.of + passed + failed };
      if (suite === null) queue.push(...SUITES.filter((each) => each !== ofAny).map((each) => ({ path, suite: each })));
    }
    const name = suite === null ? path : `${path} (${suite})`;
    console.log(
      `${failed > 0 ? "FAIL" : "ok  "}  ${name}  ${passed} passed, ${failed} failed  ${seconds.toFixed(1)} s`,
    );
    if (failed > 0) console.log(output);
  };

  // One file more than there are cores, as files wait for hosts half of the time; fewer where there is not the memory for them.
  const width = Math.min(cpus().length + 1, Math.max(1, Math.floor(totalmem() / BYTES_PER_FILE)));
  const clusters = Array.from({ length: width }, (_, index) => `${CLUSTER}${index + 1}`);
  const worker = async (cluster: string): Promise<void> => {
    for (let run = queue.shift(); run !== undefined && !interrupted; run = queue.shift()) {
      const file = new TestFile(run.path, cluster, limit, {
        TEST_SEED: seed,
        ...(all && run.suite === null && { TEST_ALL: "1" }),
        ...(run.suite !== null && { TEST_SUITE: run.suite }),
      });
      running.add(file);
      const outcome = await file.outcome;
      running.delete(file);
      if (file.ranOutOfTime) await takeDown(cluster);
      report(run, outcome);
    }
  };
  await Promise.all(clusters.map(worker));
  finish(
    total,
    durations,
    suites.map((result) => ({ ...result, ...(others[result.suite] && { others: others[result.suite] }) })),
  );
}

function finish(total: { passed: number; failed: number }, durations: Durations, suites: readonly SuiteResult[]): void {
  if (total.failed > 0 || interrupted) process.exitCode = 1;
  else if (options.includes("--record")) {
    writeDurations(durations, "checked-in");
    writeRecord(suites);
  }
  if (!all) writeDurations(durations, "here");
  for (const line of suiteTable(suites)) console.log(line);
  console.log(`${total.passed} passed, ${total.failed} failed`);
}

/**
 * Takes down what a file that was killed has left of the cluster of this name and of those named after it. What a living
 * process holds is another run's, and stays.
 */
async function takeDown(name: string): Promise<void> {
  for (const cluster of Cluster.all()) {
    if (cluster.name !== name && !cluster.name.startsWith(`${name}-`)) continue;
    await cluster.down().catch((error: Error) => process.stderr.write(`${error.message}\n`));
  }
}

/** The test files of a directory, or the one that is named, by their paths from the project's. Throws where there is none. */
function filesOf(directory: string): string[] {
  if (directory.endsWith(".test.ts")) return [directory];
  const files = testFiles(join(ROOT, directory)).map((path) => relative(ROOT, path));
  if (files.length === 0) throw new Error(`there is no test file in ${directory}`);
  return files;
}

function testFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? testFiles(join(directory, entry.name)) : [join(directory, entry.name)]))
    .filter((path) => path.endsWith(".test.ts"))
    .sort();
}

void main();
