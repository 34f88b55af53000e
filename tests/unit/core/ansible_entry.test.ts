import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

test("a result that is longer than a pipe holds is printed whole", () => {
  const code = `
    globalThis.__ANSIBLE_ARGS = { _ansible_check_mode: true };
    const { runForAnsible } = require(${JSON.stringify(join(__dirname, "../../../modules/core/ansible_entry.ts"))});
    const plan = () => ({ changes: [], facts: { long: "x".repeat(300000) } });
    runForAnsible({ name: "lamp", options: {}, observe: () => null, plan });`;
  const { stdout, stderr } = spawnSync(
    "sh",
    ["-c", '"$@" | { sleep 0.2; cat; }', "sh", process.execPath, "-r", "tsx/cjs", "-e", code],
    { encoding: "utf8", cwd: join(__dirname, "../../..") },
  );
  assert.is(stderr, "");
  assert.equal(JSON.parse(stdout), { changed: false, long: "x".repeat(300_000) });
});

test.run();
