import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { linuxHost } from "../../../../modules/core/host/linux";
import { run } from "../../../../modules/core/host/run";
import { rememberSecret } from "../../../../modules/core/secrets";
import { inTemporaryDirectory, inTemporaryDirectoryUntilDone } from "../../support/temporary_directory";
import { userErrorOf } from "../../support/user_error";

test("a program's output, error output and status are returned", () => {
  assert.equal(run(["sh", "-c", "echo out; echo err >&2"]), { status: 0, stdout: "out\n", stderr: "err\n" });
});

test("a program gets its arguments as they are: no shell reads them", () => {
  assert.is(run(["printf", "%s|", "a b", "$HOME", "*", ";", "'"]).stdout, "a b|$HOME|*|;|'|");
});

test("a program speaks English, has the system's own PATH and no other environment", () => {
  const variables = run(["env"]).stdout.trim().split("\n").sort();
  assert.equal(variables, ["LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
});

test("a program finds nothing on its standard input", () => {
  assert.is(run(["cat"]).stdout, "");
});

test("a program that fails is an error with its command line, status and error output", () => {
  assert.is(
    userErrorOf(() => run(["sh", "-c", "echo some; echo 'no such device' >&2; exit 3"])),
    "sh -c echo some; echo 'no such device' >&2; exit 3: must succeed (found status 3: no such device). See its output, correct the cause and run again.",
  );
});

test("a failed program without error output is reported with its output, or with neither", () => {
  assert.match(
    userErrorOf(() => run(["sh", "-c", "echo on stdout; false"])),
    /: must succeed \(found status 1: on stdout\)\. See its output, correct the cause and run again\.$/,
  );
  assert.is(
    userErrorOf(() => run(["false"])),
    "false: must succeed (found status 1). See its output, correct the cause and run again.",
  );
});

test("of a long error output the beginning is shown, too: dockerd's usage follows the cause", () => {
  const message = userErrorOf(() => run(["sh", "-c", "echo the cause >&2; seq 10000 >&2; exit 1"]));
  assert.match(message, /must succeed \(found status 1: the cause\n1\n2\n.* … .*\n10000\)\. See its output, /s);
  assert.ok(message.length < 2200, `${message.length} characters`);
});

test("of a long error output the end is shown, where the cause is", () => {
  const message = userErrorOf(() => run(["sh", "-c", "seq 10000 >&2; echo the cause >&2; exit 1"]));
  assert.match(message, /the cause\)\. See its output, correct the cause and run again\.$/);
  assert.ok(message.length < 2200, `${message.length} characters`);
});

test("a program that a signal ends is an error with the signal", () => {
  assert.match(
    userErrorOf(() => run(["sh", "-c", "kill -TERM $$"])),
    "must succeed (found SIGTERM)",
  );
});

test("a program that is killed is an error even if it may fail", () => {
  assert.match(
    userErrorOf(() => run(["sh", "-c", "kill -KILL $$"], { mayFail: true })),
    "must succeed (found SIGKILL)",
  );
});

test("a status other than 0 is returned if the program may fail", () => {
  assert.equal(run(["sh", "-c", "echo no; exit 4"], { mayFail: true }), { status: 4, stdout: "no\n", stderr: "" });
});

test("a missing program is an error with its name and the command", () => {
  assert.is(
    userErrorOf(() => run(["weave-no-such-program", "show"], { mayFail: true })),
    "weave-no-such-program: must be installed on this host (found no such program, needed for: weave-no-such-program show). Install it.",
  );
});

test("a file that is not a program is an error with the cause", () => {
  inTemporaryDirectory((directory) => {
    writeFileSync(join(directory, "text"), "", { mode: 0o644 });
    assert.match(
      userErrorOf(() => run([join(directory, "text")])),
      /text: can't be run \(found EACCES\)\. Make it executable/,
    );
  });
});

test("a program that times out is killed, and is an error with the limit and its output", () => {
  const started = Date.now();
  const message = userErrorOf(() => run(["sh", "-c", "echo waiting >&2; exec sleep 20"], { timeout: 0.3 }));
  assert.match(
    message,
    /^sh -c .*: must end within 0\.3 s \(found it running: waiting\)\. See why it hangs, and run again\.$/,
  );
  assert.ok(Date.now() - started < 5000);
});

test("a program's result is its own exit status, even if a child process keeps its output open", () => {
  const started = Date.now();
  assert.equal(run(["sh", "-c", "echo done; sleep 20 & exit 0"]), { status: 0, stdout: "done\n", stderr: "" });
  assert.match(
    userErrorOf(() => run(["sh", "-c", "echo broken >&2; sleep 20 & exit 3"])),
    /\(found status 3: broken\)\. See its output, correct the cause and run again\.$/,
  );
  assert.ok(Date.now() - started < 5000);
});

test("a program that times out is killed with all that it has started, and no later", async () => {
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const started = Date.now();
    const script = `sleep 30 & echo $! > ${directory}/pid; (trap '' TERM; sleep 30); sleep 30`;
    assert.match(
      userErrorOf(() => run(["sh", "-c", script], { timeout: 0.5 })),
      "must end within 0.5 s (found it running)",
    );
    assert.ok(Date.now() - started < 5000);
    const pid = readFileSync(join(directory, "pid"), "utf8").trim();
    const state = (): string => /^State:\s+(\w)/m.exec(linuxHost.readText(`/proc/${pid}/status`) ?? "")?.[1] ?? "gone";
    for (let times = 0; times < 50 && !["Z", "gone"].includes(state()); times++) await sleep(20);
    assert.ok(["Z", "gone"].includes(state()), `process ${pid}: ${state()}`);
  });
});

test("megabytes of output are returned whole, and nothing of them is left behind", () => {
  // Other tests have directories of theirs there.
  const files = (): string[] =>
    readdirSync("/dev/shm", { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
  const before = files();
  assert.is(run(["sh", "-c", "head -c 5000000 /dev/zero | tr '\\0' x"]).stdout.length, 5_000_000);
  assert.equal(files(), before);
});

test("a secret in a failed program's output is hidden whole, however long the output is", () => {
  rememberSecret("over the top of it all");
  // Nothing of it may be left where a long output is cut.
  for (const length of [0, 2 ** 18 - 15, 2 ** 20]) {
    const script = `echo "password is over the top of it all"; head -c ${length} /dev/zero | tr '\\0' x; exit 1`;
    const error = userErrorOf(() => run(["sh", "-c", script]));
    assert.not.match(error, "of it all", String(length));
  }
});

test.run();
