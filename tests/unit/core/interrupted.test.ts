import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Action } from "../../../modules/core/change";
import type { Result } from "../../../modules/core/run_module";
import { inTemporaryDirectoryUntilDone } from "../support/temporary_directory";

const source = (path: string): string => JSON.stringify(join(__dirname, "../../../modules/core", path));

interface Lamp {
  /** JavaScript of the module's `observe`. */
  readonly observe?: string;
  /** The actions of each change. */
  readonly changes?: readonly (readonly Action[])[];
  readonly check?: boolean;
  readonly prepare?: string;
}

/** Runs a module for Ansible, sends it a signal as soon as `ready` exists, and returns its result. */
async function interrupt(ready: string, signal: NodeJS.Signals, lamp: Lamp): Promise<Result & { seconds: number }> {
  const { observe = "() => null", changes = [], check = false, prepare = "" } = lamp;
  const planned = changes.map((actions, index) => ({
    subject: `change ${index + 1}`,
    before: "",
    after: "x",
    actions,
  }));
  const code = `${prepare}
    globalThis.__ANSIBLE_ARGS = { _ansible_check_mode: ${check} };
    const plan = () => ({ returns: {}, changes: ${JSON.stringify(planned)} });
    const { DAEMON_PERFORMERS } = require(${source("daemon_performers.ts")});
    require(${source("ansible_entry.ts")}).runForAnsible({ name: "lamp", options: {}, observe: ${observe}, plan }, DAEMON_PERFORMERS);`;
  const child = spawn(process.execPath, ["-r", "tsx/cjs", "-e", code], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => (stdout += data));
  child.stderr.on("data", (data) => (stderr += data));
  const closed = once(child, "close");
  while (!existsSync(ready)) {
    if (child.exitCode !== null) throw new Error(`it ended: ${stdout}${stderr}`);
    await sleep(20);
  }
  const started = Date.now();
  child.kill(signal);
  await closed;
  assert.equal([stderr, child.exitCode, child.signalCode], ["", 1, null]);
  assert.match(stdout, /^\n\{[\x20-\x7e]*\}\n$/);
  return { ...(JSON.parse(stdout) as Result), seconds: (Date.now() - started) / 1000 };
}

/** A program that notes its process id and a child's, and then runs for a minute. */
const slow = (ready: string, trap = ""): Action => ({
  do: "run",
  argv: ["sh", "-c", `${trap} sleep 61 & echo "$$ $!" >"$1".new; mv "$1".new "$1"; wait; wait`, "slow", ready],
  timeout: 60,
});

/** The process ids in a file that still run. A process that has ended is nobody's child any more at once. */
const running = (path: string): string[] =>
  readFileSync(path, "utf8")
    .trim()
    .split(" ")
    .filter((pid) => existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "");

for (const signal of ["SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1", "SIGXCPU"] as const) {
  test(`${signal} while a program runs: one JSON object, the program ends, and the rest is not made`, async () => {
    await inTemporaryDirectoryUntilDone(async (directory) => {
      const [ready, made, next] = ["ready", "made", "next"].map((name) => join(directory, name)) as [
        string,
        string,
        string,
      ];
      const write = (path: string): Action => ({ do: "write", path, content: "", mode: 0o644 });
      const rollback = [{ steps: [write(next)], result: "rolled back" }];
      const attempt: Action = {
        do: "try",
        steps: [slow(ready)],
        rollback,
        afterwards: [write(next)],
        diagnose: ["touch", next],
      };
      const result = await interrupt(ready, signal, {
        changes: [[write(made)], [attempt, write(next)], [write(next)]],
      });
      assert.is(
        result.msg,
        `lamp: was interrupted (found ${signal}; changed: change 1; perhaps changed in part: change 2). Run again: that finishes the work.`,
      );
      assert.equal([result.failed, result.changed, result.changes], [true, true, ["change 1", "change 2"]]);
      assert.equal([existsSync(made), existsSync(next), running(ready)], [true, false, []]);
      assert.ok(result.seconds < 10, `it took ${result.seconds} s`);
    });
  });
}

test("a program that ignores SIGTERM is killed, with its children", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const ready = join(directory, "ready");
    const { msg, seconds } = await interrupt(ready, "SIGTERM", { changes: [[slow(ready, "trap '' TERM;")]] });
    assert.is(
      msg,
      "lamp: was interrupted (found SIGTERM; perhaps changed in part: change 1). Run again: that finishes the work.",
    );
    assert.equal(running(ready), []);
    assert.ok(seconds < 10, `it took ${seconds} s`);
  });
});

const NOTHING = "lamp: was interrupted (found SIGTERM; nothing is changed). Run again.";
const NOTE = `require("fs").writeFileSync(READY, "")`;

/** Where a module waits before it has changed anything. */
const EARLY: readonly (readonly [where: string, lamp: (ready: string, directory: string) => Lamp])[] = [
  [
    "while it observes, in check mode",
    () => ({ observe: `() => { ${NOTE}; return new Promise((end) => setTimeout(end, 60000)); }`, check: true }),
  ],
  [
    "while a program blocks it that observes",
    (_, directory) => ({
      observe: `() => { ${NOTE}; require(${source("host/run.ts")}).run(["sleep", "1"]); return null; }`,
      changes: [[{ do: "write", path: join(directory, "made"), content: "", mode: 0o644 }]],
    }),
  ],
];

for (const [where, lamp] of EARLY) {
  test(`SIGTERM ${where}: nothing is changed`, async () => {
    await inTemporaryDirectoryUntilDone(async (directory) => {
      const ready = join(directory, "ready");
      const given = lamp(ready, directory);
      const result = await interrupt(ready, "SIGTERM", {
        prepare: `const READY = ${JSON.stringify(ready)};`,
        ...given,
      });
      assert.equal([result.msg, result.changed, result.changes], [NOTHING, false, undefined]);
      assert.not(existsSync(join(directory, "made")));
    });
  });
}

test("SIGTERM while another run holds the lock: nothing is changed, and flock ends", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const [lock, ready] = [join(directory, "lock"), join(directory, "ready")];
    writeFileSync(lock, "", { mode: 0o600 });
    const holder = spawn("flock", [lock, "sleep", "60"], { stdio: "ignore", detached: true });
    try {
      const code = `
        const { withLock } = require(${source("lock.ts")});
        const { watchProcess } = require(${source("process_failure.ts")});
        const { rejection } = watchProcess();
        require("fs").writeFileSync(${JSON.stringify(ready)}, "");
        Promise.race([rejection, withLock(async () => 0, ${JSON.stringify(lock)}, 60)]).catch((e) => console.log(String(e)));`;
      const child = spawn(process.execPath, ["-r", "tsx/cjs", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
      let stdout = "";
      child.stdout.on("data", (data) => (stdout += data));
      while (!existsSync(ready)) await sleep(20);
      const waits = `flock\0-w\x0060\x003\0`;
      const children = (): string[] =>
        readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ").filter(Boolean);
      while (!children().some((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8") === waits)) await sleep(20);
      const [flock = ""] = children();
      child.kill("SIGTERM");
      await once(child, "close");
      assert.is(stdout, "Interrupted: interrupted by SIGTERM\n");
      assert.not(existsSync(`/proc/${flock}/cmdline`));
    } finally {
      process.kill(-(holder.pid ?? 0), "SIGKILL");
    }
  });
});

test.run();
