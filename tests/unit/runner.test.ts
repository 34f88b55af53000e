import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { drawFiles } from "../runner/draw";
import { longestFirst } from "../runner/durations";
import { inTemporaryDirectory, inTemporaryDirectoryUntilDone } from "./support/temporary_directory";

const ROOT = join(__dirname, "../..");
const HEAD = `const { test } = require(${JSON.stringify(require.resolve("uvu"))});
const assert = require(${JSON.stringify(require.resolve("uvu/assert"))});
`;
const PASSES = 'test("passes", () => assert.ok(true));\n';
const FAILS = 'test("fails", () => assert.ok(false, "on purpose"));\n';
const RUN = "test.run();\n";

interface Outcome {
  readonly status: number | null;
  readonly lines: readonly string[];
}

/** Runs tests/run.ts on a new directory with these files, of which each has the head above. */
function runOn(
  files: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>> = {},
  options: readonly string[] = [],
): Outcome {
  const outcome: { status: number | null; lines: readonly string[] } = { status: null, lines: [] };
  inTemporaryDirectory((directory) => {
    for (const [name, code] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), HEAD + code);
    }
    const { status, stdout } = spawnSync(
      process.execPath,
      ["-r", "tsx/cjs", "tests/run.ts", ...options, relative(ROOT, directory)],
      {
        cwd: ROOT,
        encoding: "utf8",
        // Clusters of its own name: these files must not touch those of the run that this file is part of.
        env: { ...process.env, FORCE_COLOR: undefined, E2E_CLUSTER: "runner", ...environment },
        timeout: 60_000,
      },
    );
    outcome.status = status;
    outcome.lines = stdout.trimEnd().split("\n");
  });
  return outcome;
}

test("passing tests, in directories too, are counted over all files, and the status is 0", () => {
  const { status, lines } = runOn({ "a.test.ts": PASSES + PASSES + RUN, "deep/er/b.test.ts": PASSES + RUN });
  assert.is(lines.at(-1), "3 passed, 0 failed");
  assert.is(lines.length, 3, "a line a file, and the last");
  const [a, b] = lines.slice(0, 2).sort(); // Files run side by side, and end in any order.
  assert.match(a ?? "", /^ok {4}\S+a\.test\.ts {2}2 passed, 0 failed {2}\d+\.\d s$/);
  assert.match(b ?? "", /^ok {4}\S+b\.test\.ts {2}1 passed, 0 failed {2}\d+\.\d s$/);
  assert.is(status, 0);
});

test("a failing test is counted and shown with the passing ones, and the status is 1", () => {
  const { status, lines } = runOn({ "a.test.ts": PASSES + FAILS + PASSES + RUN, "b.test.ts": PASSES + RUN });
  assert.is(lines.at(-1), "3 passed, 1 failed");
  assert.ok(lines.some((line) => /^FAIL {2}\S+a\.test\.ts {2}2 passed, 1 failed/.test(line)));
  assert.match(lines.join("\n"), "on purpose");
  assert.is(status, 1);
});

test("a file that forgets test.run() has failed", () => {
  const { status, lines } = runOn({ "a.test.ts": PASSES });
  assert.is(lines.at(-1), "0 passed, 1 failed");
  assert.match(lines.join("\n"), "does it end with test.run()?");
  assert.is(status, 1);
});

test("a file that is cut short, has an error or ends with another status has failed", () => {
  const { status, lines } = runOn({
    "a.test.ts": `test("ends all", () => process.exit(0));\n${PASSES}${RUN}`,
    "b.test.ts": 'throw new Error("while it is read");\n',
    "c.test.ts": `${PASSES}${RUN}process.on("exit", () => { process.exitCode = 3; });\n`,
  });
  assert.is(lines.at(-1), "1 passed, 3 failed");
  assert.is(status, 1);
});

test("why a hook failed is shown", () => {
  const hook = (name: string): string => `test.${name}(() => { throw new Error("${name} broke"); });\n`;
  const ofSuite = `const it = require(${JSON.stringify(require.resolve("uvu"))}).suite("one");\nit("passes", () => {});\nit.run();\n`;
  const { status, lines } = runOn({
    "a.test.ts": hook("before") + PASSES + RUN,
    "b.test.ts": hook("after") + PASSES + RUN,
    "c.test.ts": ofSuite.replace("it.run", 'it.before(() => { throw new Error("suite broke"); });\nit.run'),
  });
  for (const broke of ["before broke", "after broke", "suite broke"]) assert.match(lines.join("\n"), broke);
  assert.is(status, 1);
});

test("a file that is no test file is not run", () => {
  const { lines } = runOn({ "a.test.ts": PASSES + RUN, "helper.ts": "process.exit(1);\n" });
  assert.is(lines.at(-1), "1 passed, 0 failed");
});

test("a directory without any test file is a failure", () => {
  const { status, lines } = runOn({ "helper.ts": "" });
  assert.is.not(status, 0);
  assert.not.match(lines.at(-1) ?? "", "0 failed");
});

test("a file that runs too long is ended, and reported by its name", () => {
  const hangs = 'test("hangs", () => new Promise((resolve) => setTimeout(resolve, 60_000)));\n';
  const { status, lines } = runOn({ "b.test.ts": hangs + RUN }, { TEST_LIMIT_SECONDS: "2" });
  assert.is(lines.at(-1), "0 passed, 1 failed");
  assert.ok(lines.some((line) => /^FAIL {2}\S+b\.test\.ts {2}0 passed, 1 failed/.test(line)));
  assert.match(lines.join("\n"), /b\.test\.ts was still running after 2 s and was ended/);
  assert.is(status, 1);
});

test("at Ctrl-C what runs is ended by the same signal, no other file is begun, and the status is 1", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const file = `process.once("SIGINT", () => { require("node:fs").writeFileSync(__filename + ".ended", ""); process.exit(130); });
      require("node:fs").writeFileSync(__filename + ".begun", ""); setTimeout(() => {}, 60_000);`;
    const names = Array.from({ length: 40 }, (_, index) => `${index}.test.ts`);
    for (const name of names) writeFileSync(join(directory, name), file);
    const found = (what: string): string[] => readdirSync(directory).filter((name) => name.endsWith(what));
    const runner = spawn(process.execPath, ["-r", "tsx/cjs", "tests/run.ts", relative(ROOT, directory)], {
      cwd: ROOT,
      env: { ...process.env, E2E_CLUSTER: "runner" },
    });
    const ended = new Promise((resolve) => runner.on("close", resolve));
    while (found(".begun").length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    runner.kill("SIGINT");
    assert.is(await ended, 1);
    assert.ok(found(".ended").length >= 1 && found(".begun").length < names.length);
  });
});

test("files run in the order of their last durations, the longest first; one without a record in the middle", () => {
  const files = ["short", "new", "long", "other"].map((path) => ({ path }));
  const sorted = longestFirst(files, { short: 3, long: 90 }).map(({ path }) => path);
  assert.equal(sorted, ["long", "new", "other", "short"]);
});

test("npm test always runs the tests without hosts and the main path, and others by a seed, for ten minutes' work", () => {
  const others = Array.from({ length: 20 }, (_, index) => `tests/e2e/other${index}.test.ts`);
  const always = ["tests/unit/core/a.test.ts", "tests/e2e/suite_trixie.test.ts"];
  const files = [...always, ...others].map((path) => ({ path }));
  const durations = Object.fromEntries(files.map(({ path }) => [path, 200]));
  const drawnBy = (seed: number): string[] => {
    const { run, left } = drawFiles(files, durations, seed);
    assert.equal([...run, ...left].map(({ path }) => path).sort(), files.map(({ path }) => path).sort());
    return run.map(({ path }) => path);
  };
  const drawn = drawnBy(1);
  assert.equal(drawn.slice(0, 2), always);
  assert.is(drawn.length, 2 + 3, "three of 200 s in 600 s");
  assert.equal(drawnBy(1), drawn, "the seed repeats them");
  const seen = new Set(Array.from({ length: 40 }, (_, seed) => drawnBy(seed)).flat());
  assert.is(seen.size, files.length, "each file is drawn by some seed");
});

test("with --all, a file for hosts of any suite runs on the other suites too, with samples of its cases", () => {
  const prints = `const { printAnySuite } = require(${JSON.stringify(join(ROOT, "tests/runner/suites"))});
    const { TEST_SUITE: suite = "trixie", TEST_ALL: all } = process.env;
    if (all) printAnySuite(suite);
    test("passes", () => assert.is(all === undefined, suite !== "trixie"));\n`;
  const files = { "a.test.ts": prints + RUN, "b.test.ts": PASSES + RUN };
  const { status, lines } = runOn(files, { TEST_SUITE: undefined, TEST_ALL: undefined }, ["--all"]);
  assert.is(lines.at(-1), "4 passed, 0 failed");
  const names = lines.flatMap((line) => /^ok {4}\S+\/(\S+( \(\w+\))?) {2}1 passed/.exec(line)?.[1] ?? []);
  assert.equal(names.sort(), ["a.test.ts", "a.test.ts (bookworm)", "a.test.ts (testing)", "b.test.ts"]);
  assert.is(status, 0);
});

test("tests are counted in colour too, as CI services ask for it", () => {
  const { status, lines } = runOn({ "a.test.ts": PASSES + RUN }, { FORCE_COLOR: "1" });
  assert.is(lines.at(-1), "1 passed, 0 failed");
  assert.is(status, 0);
});

test.run();
