import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Cluster } from "../hosts/cluster";
import { run } from "../hosts/run";
import { sleep } from "../hosts/wait";

/** The test hosts themselves: whatever becomes of a process that makes them, nothing of them stays behind. */
const test = suite("test hosts");
const NAME = `${process.env["E2E_CLUSTER"] ?? "e2e"}-hosts`;

async function hosts(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return run([process.execPath, "-r", "tsx/cjs", "tests/hosts/main.ts", ...args], {
    check: false,
    timeoutSeconds: 120,
  });
}

/** What there is of the cluster on this machine: mounts, namespaces, control groups, state. */
async function remains(): Promise<string[]> {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const namespaces = (await run(["ip", "netns", "list"])).stdout.split("\n");
  const groups = (await run(["find", "/sys/fs/cgroup", "-ignore_readdir_race", "-name", `*${NAME}*`])).stdout.split(
    "\n",
  );
  const state = existsSync(`/var/lib/apollo-weave-test-hosts/${NAME}`) ? ["its state"] : [];
  return [...mounts, ...namespaces, ...groups].filter((line) => line.includes(NAME)).concat(state);
}

test("up, exec, kill, boot, inventory, down", async () => {
  assert.is((await hosts("up", "1", "--cluster", NAME)).status, 0);
  assert.equal(await hosts("exec", "--cluster", NAME, "apollo1", "--", "sh", "-c", "echo $(hostname); exit 3"), {
    status: 3,
    stdout: "apollo1\n",
    stderr: "",
  });
  assert.is((await hosts("kill", "--cluster", NAME, "apollo1")).status, 0);
  assert.is((await hosts("exec", "--cluster", NAME, "apollo1", "--", "true")).status, 1);
  assert.is((await hosts("boot", "--cluster", NAME, "apollo1")).status, 0);
  const inventory = (await hosts("inventory", "--cluster", NAME)).stdout.trim();
  const ping = await run(["ansible", "-i", inventory, "all", "-m", "ping"], { timeoutSeconds: 60 });
  assert.match(ping.stdout, "apollo1 | SUCCESS");
  assert.is.not((await remains()).length, 0);
  assert.is((await hosts("down", "--cluster", NAME)).status, 0);
  assert.equal(await remains(), []);
});

for (const milliseconds of [0, 300, 900]) {
  test(`killed ${milliseconds} ms after it has begun, it leaves nothing that down does not clear`, async () => {
    const child = spawn(process.execPath, ["-r", "tsx/cjs", "tests/hosts/main.ts", "up", "2", "--cluster", NAME], {
      stdio: "ignore",
    });
    // Until there is something to be left, which takes as long as the machine is busy.
    while (Cluster.find(NAME) === null && child.exitCode === null) await sleep(10);
    await sleep(milliseconds);
    child.kill("SIGKILL");
    assert.is((await hosts("down", "--cluster", NAME)).status, 0);
    assert.equal(await remains(), []);
    assert.is(Cluster.find(NAME), null);
  });
}

test("a host that is not there is named, with those that are", async () => {
  const { status, stderr } = await hosts("exec", "--cluster", NAME, "apollo1", "--", "true");
  assert.is(status, 1);
  assert.match(stderr, NAME);
});

test.run();
