import { type ChildProcess, spawn } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Cluster } from "../hosts/cluster";
import { run } from "../hosts/run";
import { ROOT } from "./playbook";

const test = suite("npm run demo");

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** Starts the demo as npm does, in a process group of its own; `onLine` sees each line and the process. */
function demo(
  args: readonly string[],
  onLine: (line: string, child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn("npm", ["run", "demo", "--", ...args], {
      cwd: ROOT,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const read = (part: Buffer): void => {
      output += part;
      for (const line of String(part).split("\n")) onLine(line, child);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("close", (status, signal) => resolve({ status, signal, output }));
  });
}

test("it shows all that it promises, and leaves nothing behind", async () => {
  const { status, output } = await demo([]);
  assert.is(status, 0, output);
  assert.match(output, "All of it held.");
  assert.is(Cluster.find("demo"), null);
});

// At a check, at a run, at the containers, at a reboot: what is under way when the signal comes differs.
for (const step of [1, 2, 4, 5]) {
  test(`interrupted at its step ${step}, it tears down what it has set up`, async () => {
    let sent = false;
    const { status, signal, output } = await demo([], (line, child) => {
      if (sent || !line.startsWith(`${step}. `)) return;
      sent = true;
      // What a terminal sends at Ctrl-C: to the whole group. A moment later, as by then the step is under way.
      setTimeout(() => process.kill(-(child.pid ?? 0), "SIGINT"), 300);
    });
    assert.ok(sent, output);
    assert.ok(status !== 0 || signal !== null, output);
    assert.equal(
      Cluster.all().filter(({ name }) => name === "demo"),
      [],
      output,
    );
    assert.not.match((await run(["ip", "netns", "list"])).stdout, "apollo-weave.demo.");
  });
}

test("an option that it does not have is named", async () => {
  const { status, output } = await demo(["--kept"]);
  assert.is(status, 1);
  assert.match(output, "npm run demo takes --keep, which leaves the hosts up, and nothing else; got --kept");
});

test.run();
