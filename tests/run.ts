import { readdirSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join, relative } from "node:path";
import { Cluster } from "./hosts/cluster";
import { drawFiles } from "./runner/draw";
import { readDurations } from "./runner/durations";
import { Queue, type Run } from "./runner/queue";
import { Report } from "./runner/report";
import { SEED } from "./runner/sample";
import { type Outcome, ROOT, TestFile } from "./runner/test_file";

/** The prefix of the names of the clusters. */
const CLUSTER = process.env["E2E_CLUSTER"] ?? "e2e";
/** What a file with five test hosts takes. */
const BYTES_PER_FILE = 4 * 2 ** 30;
const LIMIT_SECONDS = 1800;
/** The factor for the limit with --all. */
const ALL_FACTOR = 12;

const options = process.argv.slice(2).filter((word) => word.startsWith("--"));
const directories = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const all = options.includes("--all");
const isSample = options.includes("--sample");
const limit = Number(process.env["TEST_LIMIT_SECONDS"] ?? LIMIT_SECONDS * (all ? ALL_FACTOR : 1));

/** The files that are running. */
const running = new Set<TestFile>();
let interrupted = false;

/**
 * Runs the test files of the given directories (tests/unit and so on), or the given files, each in its own process, the longest
 * first, and ends with the line "N passed, N failed". A file that runs no test is a failure, which uvu by itself does not see.
 * With --sample, not all files run, as tests/runner/draw.ts says. With --all, tests that try a sample of their cases try all of
 * them, and each file for hosts of any Debian suite then runs on the other suites, too. With --record, the durations are written to tests/durations.json, and what passed per suite to
 * tests/suites.json.
 */
async function main(): Promise<void> {
  for (const option of options) {
    if (!["--all", "--record", "--sample"].includes(option)) throw new Error(`unknown option ${option}`);
  }
  const durations = readDurations();
  const runs = directories.flatMap(filesOf).map((path) => ({ path, suite: null }));
  const { run, left } = isSample ? drawFiles(runs, durations, SEED) : { run: runs, left: [] };
  const queue = new Queue(run, durations);
  const report = new Report(all);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      interrupted = true;
      queue.stop();
      for (const file of running) file.end(signal);
    });
  }
  process.stderr.write(`samples by TEST_SEED=${SEED}\n`);
  if (left.length > 0) console.log(`not drawn: ${left.map(({ path }) => path).join(" ")}`);
  await queue.runAll(clusters(), async (run, cluster) => queue.add(report.add(run, await runFile(run, cluster))));
  process.exitCode = report.close(!interrupted, options.includes("--record"));
}

/** One file more than there are cores, as files wait for hosts half of the time; fewer where there is not the memory for them. */
function clusters(): string[] {
  const width = Math.min(cpus().length + 1, Math.max(1, Math.floor(totalmem() / BYTES_PER_FILE)));
  return Array.from({ length: width }, (_, index) => `${CLUSTER}${index + 1}`);
}

async function runFile({ path, suite }: Run, cluster: string): Promise<Outcome> {
  const file = new TestFile(path, cluster, limit, {
    TEST_SEED: String(SEED),
    TEST_ALL: all && suite === null ? "1" : undefined,
    TEST_SUITE: suite ?? process.env["TEST_SUITE"],
  });
  running.add(file);
  const outcome = await file.outcome;
  running.delete(file);
  if (file.ranOutOfTime) await takeDown(cluster);
  return outcome;
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
