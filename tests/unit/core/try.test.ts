import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { apply as applyWith } from "../../../modules/core/apply";
import { type Action, type Change, runAction } from "../../../modules/core/change";
import { DAEMON_PERFORMERS } from "../../../modules/core/daemon_performers";
import { parseStartTicks } from "../../../modules/core/proc";
import { inTemporaryDirectoryUntilDone } from "../support/temporary_directory";

const apply = (change: Change): Promise<void> => applyWith(change, DAEMON_PERFORMERS);

const change = (...actions: Action[]) => ({ subject: "it", before: "", after: "", actions });
const messageOf = (promise: Promise<void>): Promise<string> =>
  promise.then(
    () => "no failure",
    (error: Error) => error.message,
  );

test("a failed try is rolled back, and its failure is reported with the diagnosis", () =>
  inTemporaryDirectoryUntilDone(async (directory) => {
    const path = join(directory, "file");
    const attempt = (command: string): Action => ({
      do: "try",
      steps: [runAction([command])],
      diagnose: ["echo", "because"],
      rollback: [{ steps: [{ do: "write", path, content: "back", mode: 0o644 }], result: "It is back." }],
    });
    assert.is(await messageOf(apply(change(attempt("true")))), "no failure");
    assert.not.ok(existsSync(path));
    const message = await messageOf(apply(change(attempt("false"), runAction(["touch", `${path}2`]))));
    assert.match(
      message,
      /^it: false: must succeed \(found status 1\)\. See its output, correct the cause and run again\.\necho because printed: because\nIt is back\.$/,
    );
    assert.is(readFileSync(path, "utf8"), "back");
    assert.not.ok(existsSync(`${path}2`), "steps behind it are not done");
  }));

test("a failed try is rolled back also if the diagnosis fails", () =>
  inTemporaryDirectoryUntilDone(async (directory) => {
    const path = join(directory, "file");
    const message = await messageOf(
      apply(
        change({
          do: "try",
          steps: [runAction(["false"])],
          diagnose: ["weave-no-such-program"],
          rollback: [{ steps: [{ do: "write", path, content: "back", mode: 0o644 }], result: "It is back." }],
        }),
      ),
    );
    assert.match(message, /^it: false: must succeed .*\nweave-no-such-program: must be installed .*\nIt is back\.$/);
    assert.is(readFileSync(path, "utf8"), "back");
  }));

test("if the rollback fails too, both failures are reported", async () => {
  const message = await messageOf(
    apply(
      change({
        do: "try",
        steps: [runAction(["false"])],
        diagnose: ["true"],
        rollback: [{ steps: [runAction(["false"])], result: "Fine." }],
      }),
    ),
  );
  assert.match(message, "The rollback failed too: false: must succeed (found status 1)");
  assert.not.match(message, "Fine.");
});

test("the first rollback that succeeds is used; the rest is tried in any case, and the daemon's command line is quoted", () =>
  inTemporaryDirectoryUntilDone(async (directory) => {
    const log = join(directory, "log");
    const pidFile = join(directory, "pid");
    writeFileSync(pidFile, `${process.pid}\n`);
    const note = (word: string): Action => runAction(["sh", "-c", `echo ${word} >>"$0"`, log]);
    const attempt = (...results: boolean[]): Action => ({
      do: "try",
      steps: [runAction(["false"])],
      rollback: results.map((works, index) => ({
        steps: [note(`way${index}`), runAction([String(works)])],
        result: `Way ${index} it is.`,
      })),
      afterwards: [note("one"), runAction(["false"]), note("two")],
      daemon: { name: "Docker", pidFile },
    });
    const runs = `\nfalse: must succeed (found status 1). See its output, correct the cause and run again.\nDocker now runs as: ${process.argv0}`;
    const second = await messageOf(apply(change(attempt(false, true, true))));
    assert.match(
      second,
      /^it: false: must succeed .*\nThe rollback failed too: false: must succeed .*\nWay 1 it is\.\n/,
    );
    assert.match(second, runs);
    assert.is(readFileSync(log, "utf8"), "way0\nway1\none\ntwo\n");
    const none = await messageOf(apply(change(attempt(false))));
    assert.match(none, /The rollback failed too: false: must succeed/);
    assert.not.match(none, "it is");
    assert.match(none, runs);

    writeFileSync(pidFile, "4194305\n");
    assert.match(await messageOf(apply(change(attempt(true)))), /\nDocker does not run now\.$/);
  }));

test("a program may fail where that is expected, and one that fails for good ends the wait for an answer", async () => {
  assert.is(await messageOf(apply(change({ do: "run", argv: ["false"], mayFail: true }))), "no failure");
  const request = { to: { socket: "/nowhere" }, method: "GET", path: "/_ping" } as const;
  const started = Date.now();
  const message = await messageOf(
    apply(
      change({
        do: "await",
        request,
        timeout: 20,
        diagnose: ["echo", "failed"],
        giveUp: { argv: ["echo", "ActiveState=failed"], pattern: /ActiveState=failed/ },
      }),
    ),
  );
  assert.is(
    message,
    "it: GET /nowhere/_ping: must be answered (found: nothing listens there). echo failed printed: failed",
  );
  assert.ok(Date.now() - started < 10_000);
});

test("a replaced daemon is a success, however the program ended; one that still runs is not started again", () =>
  inTemporaryDirectoryUntilDone(async (directory) => {
    const pidFile = join(directory, "pid");
    const started = join(directory, "started");
    const startedAt = parseStartTicks(readFileSync("/proc/self/stat", "latin1"));
    writeFileSync(pidFile, `${process.pid}\n`);
    const restart = (before: number | null, argv: readonly string[] = ["false"]): Promise<string> =>
      messageOf(apply(change({ do: "run", argv, replaces: { pidFile, startedAt: before } })));
    assert.is(await restart(startedAt, ["true"]), "no failure");
    assert.match(await restart(startedAt), "false: must succeed (found status 1)");
    assert.is(await restart((startedAt ?? 0) - 1), "no failure", "another runs now");
    assert.is(await restart(null), "no failure", "one runs now");

    const unless = (before: number | null): Promise<string> =>
      messageOf(apply(change({ do: "run", argv: ["touch", started], skipIfRunning: { pidFile, startedAt: before } })));
    assert.is(await unless(startedAt), "no failure");
    assert.not.ok(existsSync(started));

    writeFileSync(pidFile, "4194305\n"); // left by a killed daemon: process ids are lower
    assert.match(await restart(1), "false: must succeed (found status 1)", "none runs now");
    assert.is(await unless(1), "no failure");
    assert.ok(existsSync(started));
  }));

test("a content is validated in a private file, which is deleted afterwards", () =>
  inTemporaryDirectoryUntilDone(async (directory) => {
    const path = join(directory, "seen");
    const script = `stat -c %a "$0" > ${path}; cat "$0" >> ${path}; echo "$0" > ${path}.name; exit $1`;
    const validate = (status: string): Action => ({
      do: "validate",
      content: "caf\xe9",
      argv: ["sh", "-c", script, "%s", status],
    });
    assert.is(await messageOf(apply(change(validate("0")))), "no failure");
    assert.is(readFileSync(path, "latin1"), "600\ncaf\xe9");
    assert.not.ok(existsSync(readFileSync(`${path}.name`, "utf8").trim()));
    writeFileSync(path, "");
    assert.match(await messageOf(apply(change(validate("3")))), "must succeed (found status 3)");
    assert.not.ok(existsSync(readFileSync(`${path}.name`, "utf8").trim()));
  }));

test.run();
