import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

/** build/setup.sh, where the machine can't do: one sentence that says so, and nothing installed. */
const SETUP = readFileSync(join(__dirname, "../../build/setup.sh"));

/** Runs it by bash's standard input, as another user may not be able to reach this checkout. */

function rejection(argv: readonly string[], path = process.env["PATH"]): string {
  const [program = "", ...args] = argv;
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    env: { PATH: path },
    cwd: "/",
    input: SETUP,
  });
  assert.is(status, 1);
  assert.is(stdout, "", "nothing was begun");
  return stderr;
}

test("not as root: says so", () => {
  const said = rejection(["setpriv", "--reuid=65534", "bash"]);
  assert.is(said, "This needs root, to make namespaces, bridges and mounts: run it again with sudo.\n");
});

test("without the right to make namespaces: says so", () => {
  const said = rejection(["setpriv", "--bounding-set=-all", "--inh-caps=-all", "bash"]);
  assert.is(
    said,
    "This machine allows no new namespaces (is it a container?): run it on a machine or virtual machine of its own.\n",
  );
});

test("not on Linux, by a fake uname: says so", () => {
  const directory = mkdtempSync(join(tmpdir(), "apollo-weave-uname-"));
  try {
    writeFileSync(join(directory, "uname"), "#!/bin/sh\necho Darwin\n");
    chmodSync(join(directory, "uname"), 0o755);
    const said = rejection(["bash"], `${directory}:${process.env["PATH"]}`);
    assert.is(said, "This needs Linux: the test hosts are namespaces of its kernel.\n");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test.run();
