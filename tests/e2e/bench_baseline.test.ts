import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, changedTasks, type PlaybookRun } from "./playbook";
import { findServices, reachAll, startServices } from "./services";

/** What the benchmarks measure the role against has to do its work, or beating it would mean nothing. */
const test = suite("tests/bench/baseline");
let cluster: Cluster;

test.before(async () => {
  cluster = await bootHosts(2);
  await Promise.all(cluster.hosts.map((host) => installWeaveStandIn(host)));
});
test.after(() => cluster.down());

const play = async (...more: string[]): Promise<PlaybookRun> => {
  const run = await ansiblePlaybook(cluster.inventory, ["tests/bench/baseline/site.yml", ...more]);
  assert.is(run.status, 0, run.output);
  return run;
};

test("a check of fresh hosts passes, a run provisions them, and then nothing is left to do", async () => {
  await play("--check");
  assert.is.not(changedTasks(await play()).length, 0);
  for (const again of [await play(), await play("--check")]) assert.equal(changedTasks(again), []);
});

test("nodes and containers reach every container, by TCP", async () => {
  await startServices(cluster, 1);
  const services = await findServices(cluster, 1);
  for (const { address, host } of services) assert.match(address, new RegExp(`^10\\.2\\.${host.number}\\.`));
  const missed = (await reachAll(cluster, services)).filter(({ ok }) => !ok);
  assert.equal(
    missed.map(({ from, to }) => `${from} → ${to.name}`),
    [],
  );
});

test.run();
