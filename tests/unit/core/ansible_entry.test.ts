import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

/** A program that runs a module for Ansible whose `observe` and `plan` are these, in JavaScript. */
const program = (observe: string, plan = "() => ({ changes: [], returns: {} })", check = true): string => `
  globalThis.__ANSIBLE_ARGS = { _ansible_check_mode: ${check} };
  const { runForAnsible } = require(${JSON.stringify(join(__dirname, "../../../modules/core/ansible_entry.ts"))});
  const { DAEMON_PERFORMERS } = require(${JSON.stringify(join(__dirname, "../../../modules/core/daemon_performers.ts"))});
  runForAnsible({ name: "lamp", options: {}, observe: ${observe}, plan: ${plan} }, DAEMON_PERFORMERS);`;

const NODE = [process.execPath, "-r", "tsx/cjs", "-e"];

/** Runs it with its standard output in a pipe to this shell command. */
const runInto = (reader: string, code: string): SpawnSyncReturns<string> =>
  spawnSync("bash", ["-c", `"$@" | ${reader}; exit "\${PIPESTATUS[0]}"`, "bash", ...NODE, code], {
    encoding: "utf8",
    cwd: join(__dirname, "../../.."),
    timeout: 20_000,
  });

test("a result that is longer than a pipe holds is printed whole", () => {
  const long = '() => ({ changes: [], returns: { long: "x".repeat(300000) } })';
  const { stdout, stderr, status } = runInto("{ sleep 0.2; cat; }", program("() => null", long));
  assert.equal([stderr, status], ["", 0]);
  assert.equal(JSON.parse(stdout), { changed: false, long: "x".repeat(300_000) });
});

const THROW = 'throw new Error("out of order")';

/** Ways in which a module could end without its result, and what is said then. */
const ENDS: readonly (readonly [how: string, observe: string, msg: RegExp])[] = [
  [
    "a promise that is never settled",
    "() => new Promise(() => {})",
    /^lamp: failed unexpectedly \(found: it waits for something/,
  ],
  [
    "a promise that a dropped event would have settled",
    '() => new Promise((done) => new (require("events"))().once("never", done))',
    /^lamp: failed unexpectedly \(found: it waits for something/,
  ],
  [
    "an exception in an event's handler",
    `() => new Promise((done) => { setTimeout(() => { ${THROW}; }, 10); setTimeout(done, 60000); })`,
    /^lamp: failed unexpectedly \(found: out of order\)\. Report this/,
  ],
  [
    "a rejected promise that nobody waits for",
    '() => { Promise.reject(new Error("out of order")); return new Promise((done) => setTimeout(done, 60000)); }',
    /^lamp: failed unexpectedly \(found: out of order\)\. Report this/,
  ],
  [
    "something thrown that is no error",
    "() => { throw undefined; }",
    /^lamp: failed unexpectedly \(found: undefined\)\./,
  ],
  [
    "an end of the process",
    "() => process.exit(0)",
    /^lamp: ended before it had a result, and may have changed the host\. /,
  ],
];

for (const [how, observe, msg] of ENDS) {
  test(`${how}: one JSON object that says so, nothing on standard error, status 1`, () => {
    const { stdout, stderr, status } = runInto("cat", program(observe));
    assert.equal([stderr, status], ["", 1]);
    assert.match(stdout, /^\n\{[\x20-\x7e]*\}\n$/);
    const result = JSON.parse(stdout) as { failed: boolean; msg: string };
    assert.is(result.failed, true);
    assert.match(result.msg, msg);
  });
}

test("a result that can't be printed is a failure", () => {
  const { stdout, stderr, status } = runInto(
    "cat",
    program("() => null", "() => ({ changes: [], returns: { n: 5n } })"),
  );
  assert.equal([stderr, status], ["", 1]);
  assert.is((JSON.parse(stdout) as { failed: boolean }).failed, true);
});

test("after such a failure nothing more is changed, and what was changed is reported", () => {
  // The first change is made; while the second is waited for, an event's handler fails.
  const observe = `() => { setTimeout(() => { ${THROW}; }, 2000); return null; }`;
  const slow =
    '{ do: "await", request: { to: { socket: "/nowhere" }, method: "GET", path: "/" }, timeout: 60, diagnose: ["true"] }';
  const change = (subject: string, actions: string): string =>
    `{ subject: "${subject}", before: "", after: "x", actions: [${actions}] }`;
  const plan = `() => ({ returns: {}, changes: [${change("one", "")}, ${change("two", slow)}] })`;
  const { stdout, stderr, status } = runInto("cat", program(observe, plan, false));
  assert.equal([stderr, status], ["", 1]);
  const { changed, changes, msg } = JSON.parse(stdout) as { changed: boolean; changes: string[]; msg: string };
  assert.equal([changed, changes], [true, ["one"]]);
  assert.match(msg, "out of order");
});

test("if nobody reads the output any more, the module fails and prints nothing", () => {
  const long = '() => ({ changes: [], returns: { long: "x".repeat(300000) } })';
  for (const plan of [long, "() => ({ changes: [], returns: {} })"]) {
    const wait = "() => new Promise((done) => setTimeout(done, 300))";
    const { stdout, stderr, status } = runInto("true", program(wait, plan));
    assert.equal([stdout, stderr, status], ["", "", 1]);
  }
});

test("a warning of Node.js's is not printed", () => {
  const { stderr, stdout } = runInto("cat", program('() => { process.emitWarning("old"); return null; }'));
  assert.is(stderr, "");
  assert.equal(JSON.parse(stdout), { changed: false });
});

test.run();
