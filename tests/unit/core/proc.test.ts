import { test } from "uvu";
import * as assert from "uvu/assert";
import { commandLineOf, effectiveUid, environmentOfProcess, startTicks } from "../../../modules/core/proc";
import { fakeHost } from "../support/fake_host/fake_host";

const host = fakeHost({
  kernel: {
    "/proc/7/stat": `7 (a (b) c) S${" 0".repeat(18)} 4711 0`,
    "/proc/8/stat": "8 (a) S",
    "/proc/7/cmdline": "/usr/bin/dockerd\0--label=a b\0\0",
    "/proc/7/environ": "A=x=y\0B=1\n2\0C",
    "/proc/self/status": "Name:\tnode\nUid:\t1000\t33\t0\t0\nGid:\t0\t0\t0\t0",
  },
});

test("a process's start is its 22nd field, whatever its name", () => {
  assert.is(startTicks(7, host), 4711);
  assert.is(startTicks(8, host), null);
  assert.is(startTicks(9, host), null);
});

test("a process's words and environment are split as they were passed", () => {
  assert.equal(commandLineOf(7, host), ["/usr/bin/dockerd", "--label=a b", ""]);
  assert.is(commandLineOf(9, host), null);
  assert.is(commandLineOf(0, host), null);
  assert.equal(
    environmentOfProcess(7, host),
    new Map([
      ["A", "x=y"],
      ["B", "1\n2"],
      ["C", ""],
    ]),
  );
  assert.is(environmentOfProcess(0, host), null);
});

test("the effective user id is read, not the real one", () => {
  assert.is(effectiveUid(host), 33);
  assert.is(effectiveUid(fakeHost({})), null);
});

test.run();
