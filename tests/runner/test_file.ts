import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

export const ROOT = join(__dirname, "../..");
const FAILED_HOOKS = join(__dirname, "failed_hooks.ts");

/** The result of a test file. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly output: string;
  readonly seconds: number;
}

/** After SIGTERM a file takes its hosts down; later than this it is killed. */
const GRACE_SECONDS = 90;

/** A test file as it runs, in its own process. */
export class TestFile {
  /** Its result; this promise never fails. */
  readonly outcome: Promise<Outcome>;
  private readonly child: ChildProcess;
  /** Says that the file was ended at its limit; null for every other file. */
  private timeoutMessage: string | null = null;

  /**
   * Starts a file on the cluster of test hosts of this name, for so many seconds at most; then it is ended, and has failed.
   */
  constructor(
    path: string,
    cluster: string,
    limitSeconds: number,
    environment: Readonly<Record<string, string | undefined>>,
  ) {
    const started = Date.now();
    // Its own process group, so that what it has started can be killed with it.
    this.child = spawn(process.execPath, ["-r", "tsx/cjs", "-r", FAILED_HOOKS, join(ROOT, path)], {
      cwd: ROOT,
      detached: true,
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, E2E_CLUSTER: cluster, ...environment },
      // Progress, on standard error, is shown as it comes; the rest only where something failed.
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    this.child.stdout?.on("data", (part: Buffer) => {
      output += part;
    });
    const limit = setTimeout(() => {
      this.timeoutMessage = `${path} was still running after ${limitSeconds} s and was ended`;
      this.end();
    }, limitSeconds * 1000);
    this.outcome = new Promise((resolve) => {
      this.child.on("close", (status) => {
        clearTimeout(limit);
        const counted =
          this.timeoutMessage === null ? readOutcome(output, status) : failure(`${output}\n${this.timeoutMessage}`);
        resolve({ ...counted, seconds: (Date.now() - started) / 1000 });
      });
    });
  }

  /** Whether it was ended at its limit, and may have left hosts behind. */
  get ranOutOfTime(): boolean {
    return this.timeoutMessage !== null;
  }

  /** Ends it as Ctrl-C does: it takes its hosts down first. */
  end(signal: NodeJS.Signals = "SIGTERM"): void {
    this.child.kill(signal);
    setTimeout(() => this.killGroup(), GRACE_SECONDS * 1000).unref();
  }

  private killGroup(): void {
    try {
      process.kill(-(this.child.pid ?? 0), "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

/** uvu closes with "Total: N", "Passed: N", "Skipped: N". */
function readOutcome(output: string, status: number | null): Omit<Outcome, "seconds"> {
  const count = (what: string): number => Number(new RegExp(`^\\s*${what}:\\s+(\\d+)$`, "m").exec(output)?.[1] ?? 0);
  const [run, passed] = [count("Total"), count("Passed")];
  if (run === 0) return failure(`${output}\nThis file ran no test: does it end with test.run()?`);
  const failed = run - passed;
  return { passed, failed: failed === 0 && status !== 0 ? 1 : failed, output };
}

function failure(output: string): Omit<Outcome, "seconds"> {
  return { passed: 0, failed: 1, output };
}
