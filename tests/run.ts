import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join, relative } from "node:path";

/**
 * Runs the test files of the given folders (tests/unit and so on), each in a process of its own, and ends with the line
 * "N passed, N failed". A file that runs no test is a failure, which uvu by itself does not see.
 */
interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly output: string;
}

const root = join(__dirname, "..");
const CLUSTER = process.env["E2E_CLUSTER"] ?? "e2e";
/** What a file with five test hosts takes. */
const BYTES_A_LANE = 4 * 2 ** 30;
const children = new Set<{ kill(signal: NodeJS.Signals): void }>();
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    for (const child of children) child.kill(signal);
    interrupted = true;
  });
}

async function main(folders: readonly string[]): Promise<void> {
  const total = { passed: 0, failed: 0 };
  const report = (name: string, { passed, failed, output }: Outcome, started: number): void => {
    total.passed += passed;
    total.failed += failed;
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(`${failed > 0 ? "FAIL" : "ok  "}  ${name}  ${passed} passed, ${failed} failed  ${seconds} s`);
    if (failed > 0) console.log(output);
  };

  for (const folder of folders) {
    const files = testFiles(join(root, folder));
    if (files.length === 0) throw new Error(`there is no test file in ${folder}`);
    // As many files at a time as there are cores, and memory for each one's test hosts.
    const lane = async (_: unknown, number: number): Promise<void> => {
      for (let file = files.shift(); file !== undefined && !interrupted; file = files.shift()) {
        const started = Date.now();
        report(relative(root, file), await runFile(file, `${CLUSTER}${number + 1}`), started);
      }
    };
    const width = Math.max(1, Math.min(cpus().length, Math.floor(totalmem() / BYTES_A_LANE)));
    await Promise.all(Array.from({ length: width }, lane));
  }
  if (total.failed > 0 || interrupted) process.exitCode = 1;
  console.log(`${total.passed} passed, ${total.failed} failed`);
}

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? testFiles(join(folder, entry.name)) : [join(folder, entry.name)]))
    .filter((path) => path.endsWith(".test.ts"))
    .sort();
}

/** Progress, on standard error, is shown as it comes; the rest only where something failed. */
function runFile(file: string, cluster: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["-r", "tsx/cjs", file], {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, E2E_CLUSTER: cluster },
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.add(child);
    let output = "";
    child.stdout.on("data", (part: Buffer) => {
      output += part;
    });
    child.on("close", (status) => {
      children.delete(child);
      resolve(readOutcome(output, status));
    });
  });
}

/** uvu closes with "Total: N", "Passed: N", "Skipped: N". */
function readOutcome(output: string, status: number | null): Outcome {
  const count = (what: string): number => Number(new RegExp(`^\\s*${what}:\\s+(\\d+)$`, "m").exec(output)?.[1] ?? 0);
  const [run, passed] = [count("Total"), count("Passed")];
  if (run === 0)
    return { passed: 0, failed: 1, output: `${output}\nThis file ran no test: does it end with test.run()?` };
  const failed = run - passed;
  return { passed, failed: failed === 0 && status !== 0 ? 1 : failed, output };
}

void main(process.argv.slice(2));
