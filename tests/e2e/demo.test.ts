import { type ChildProcess, spawn } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Cluster } from "../hosts/cluster";
import { run } from "../hosts/run";
import { SEED, sample } from "../runner/sample";
import { ROOT } from "./playbook";

const test = suite(`npm run demo, TEST_SEED=${SEED}`);
const CLUSTER = `${process.env["E2E_CLUSTER"] ?? "e2e"}-demo`;

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

let running: ChildProcess | null = null;
/** What a terminal sends at Ctrl-C: to the whole group. */
const interrupt = ({ pid }: ChildProcess): void => void process.kill(-(pid ?? 0), "SIGINT");
// The demo is in its own group, and takes its hosts down before it ends.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    if (running === null) process.exit(1);
    running.on("close", () => process.exit(1));
    interrupt(running);
  });
}

/** Starts the demo as npm does, in its own process group; `onLine` sees each line and the process. */
function demo(
  args: readonly string[],
  onLine: (line: string, child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn("npm", ["run", "demo", "--", ...args], {
      cwd: ROOT,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, DEMO_CLUSTER: CLUSTER },
    });
    running = child;
    let output = "";
    const read = (part: Buffer): void => {
      output += part;
      for (const line of String(part).split("\n")) onLine(line, child);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("close", (status, signal) => {
      running = null;
      resolve({ status, signal, output });
    });
  });
}

for (const args of sample([[], ["--encrypted"]], 1)) {
  test(`it shows all that it promises${args.join()}, and leaves nothing behind`, async () => {
    const { status, output } = await demo(args);
    assert.is(status, 0, output);
    assert.match(output, "All of it passed.");
    assert.is(output.includes("no frame between the hosts has a text in the clear"), args.length > 0);
    assert.is(Cluster.find(CLUSTER), null);
  });
}

// At a check, at a run, at the containers, at a reboot: what is under way when the signal comes differs.
for (const step of sample([1, 2, 4, 5], 1)) {
  test(`interrupted at its step ${step}, it tears down what it has set up`, async () => {
    let sent = false;
    const { status, signal, output } = await demo([], (line, child) => {
      if (sent || !line.startsWith(`${step}. `)) return;
      sent = true;
      // A moment later, as by then the step is under way.
      setTimeout(() => interrupt(child), 300);
    });
    assert.ok(sent, output);
    assert.ok(status !== 0 || signal !== null, output);
    assert.equal(
      Cluster.all().filter(({ name }) => name === CLUSTER),
      [],
      output,
    );
    assert.not.match((await run(["ip", "netns", "list"])).stdout, `apollo-weave.${CLUSTER}.`);
  });
}

test("an option that it does not have is named", async () => {
  const { status, output } = await demo(["--kept"]);
  assert.is(status, 1);
  assert.match(output, /npm run demo takes --keep, .* --article, .* and --encrypted, .*; got --kept/);
});

test.run();
