import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { ALL, SEED, sample } from "../runner/sample";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, type PlaybookRun } from "./playbook";

/**
 * A play that is stopped after any task, and run again to the end, leaves what an uninterrupted one does. Each host stands
 * for one place to stop, and for the same cluster of one: all have the same number, and one of them is not interrupted.
 */
const test = suite(`interrupted plays, TEST_SEED=${SEED}`);
const STEPS = 4;
/** One for each step of a sample, and the one that is not interrupted. */
const HOSTS_AT_ONCE = STEPS + 1;
let cluster: Cluster;
let groups: string;
let script: string;

/** Boots a round of fresh hosts. */
async function bootRound(): Promise<Host[]> {
  cluster = await bootHosts(HOSTS_AT_ONCE);
  groups = join(cluster.directory, "groups.ini");
  await writeFile(groups, cluster.hosts.map(({ name }) => `[only_${name}]\n${name}\n`).join(""));
  script = join(cluster.directory, "weave");
  await Promise.all(
    cluster.hosts.map(async (host) => {
      await installWeaveStandIn(host);
      // The same MAC addresses are derived from the same id.
      await host.write("/etc/machine-id", `${"0".repeat(31)}1\n`);
    }),
  );
  const [first] = cluster.hosts;
  assert.ok(first);
  await writeFile(script, await first.read("/usr/local/bin/weave"));
  await Promise.all(cluster.hosts.map((host) => host.exec(["rm", "/usr/local/bin/weave"])));
  return [...cluster.hosts];
}
test.after(() => cluster.down());

function play({ name }: Host, stopAfter?: number): Promise<PlaybookRun> {
  const vars = {
    weave_server_group: `only_${name}`,
    weave_host_index: 1,
    weave_launch_peers: "192.168.50.99",
    weave_script_file: script,
  };
  const args = ["-i", groups, "site.yml", "--limit", name, "--extra-vars", JSON.stringify(vars)];
  const env = { ANSIBLE_CALLBACKS_ENABLED: "record_results,stop_after", STOP_AFTER: String(stopAfter) };
  return ansiblePlaybook(cluster.inventory, args, stopAfter === undefined ? {} : { env });
}

async function state(host: Host): Promise<string> {
  const { stdout } = await host.exec(["sh", "-c", "find /var/lib/apollo-weave /run/weave* 2>/dev/null | sort"]);
  return (await fingerprint(host)) + stdout;
}

/** What has become of a host, without what differs between any two runs: ids, and names and addresses that are random. */
function change(before: string, after: string): string[] {
  const lines = differences(before, after).filter((line) => !line.includes("inet6 fe80"));
  return lines.map((line) =>
    line
      .replace(/^([+-]) \d+: /, "$1 ")
      .replace(/veth[0-9a-f]{7}(@if\d+)?/g, "VETH")
      .replace(/@if\d+|link-netns\S* \S+|link-netnsid \d+/g, "")
      .replace(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, "MAC")
      .replace(/MainPID=\d+/, "MainPID=PID")
      .replace(/^([+-]) [0-9a-f]{64} /, "$1 CONTAINER "),
  );
}

/** The names of the tasks that ran to their end; an include does nothing by itself. */
const tasksDone = ({ results }: PlaybookRun): string[] =>
  results.flatMap(({ outcome, result, task }) => (outcome === "ok" && !("include" in result) ? [task] : []));

const which = ALL ? "any task" : `each of ${STEPS} tasks`;
test(`stopped after ${which}, then run again: the same as by one uninterrupted run (TEST_SEED=${SEED})`, async () => {
  const [whole, ...first] = await bootRound();
  assert.ok(whole);
  const fresh = await state(whole);
  const uninterrupted = await play(whole);
  assert.is(uninterrupted.status, 0, uninterrupted.output);
  const expected = change(fresh, await state(whole));
  assert.ok(expected.length > 10, expected.join("\n"));
  const done = tasksDone(uninterrupted);
  const stopAt = async (host: Host, step: number): Promise<void> => {
    const before = await state(host);
    const stopped = await play(host, step);
    assert.is.not(stopped.status, 0, stopped.output);
    assert.equal(tasksDone(stopped), tasksDone(uninterrupted).slice(0, step));
    const resumed = await play(host);
    assert.is(resumed.status, 0, resumed.output);
    assert.equal(change(before, await state(host)).sort(), [...expected].sort(), `stopped after ${done[step - 1]}`);
  };
  const steps = Array.from({ length: done.length - 1 }, (_, index) => index + 1);
  assert.ok(steps.length > HOSTS_AT_ONCE, done.join(", "));
  const left = sample(steps, STEPS);
  for (let hosts = first; ; hosts = await bootRound()) {
    // Two at a time, as there are two cores in the least of machines.
    const next = async (): Promise<void> => {
      for (let host = hosts.shift(); host && left.length > 0; host = hosts.shift()) {
        await stopAt(host, left.shift() ?? 0);
      }
    };
    await Promise.all([next(), next()]);
    if (left.length === 0) return;
    await cluster.down();
  }
});

test.run();
