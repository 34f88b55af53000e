import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bootHosts } from "../e2e/hosts";
import { underNetworkd } from "../e2e/networkd";
import type { Cluster } from "../hosts/cluster";
import { ALL, SEED, sample } from "../runner/sample";
import { makeReady } from "./calls";
import { powerCutAt, recordPlay } from "./power_cut";

import { PAIRS, SCENARIOS } from "./scenarios";
import { nameOf, type Outcome, recordRun, runWithFault } from "./trial";
import { race } from "./two_at_once";

/**
 * A sample of what `npm run faults` does in whole: single system calls and programs that fail, runs that are killed, power
 * failures, two runs at once. TEST_SEED repeats one.
 */
const test = suite(`faults, TEST_SEED=${SEED}`);
let cluster: Cluster;

test.before(async () => {
  cluster = await bootHosts(2);
  await underNetworkd(cluster.host("apollo2"));
  await Promise.all(cluster.hosts.map(makeReady));
});
test.after(() => cluster.down());

/** How many faults of a scenario, by the first words of its name. */
const SAMPLES: Readonly<Record<string, number>> = {
  "bridge: fresh host": 8,
  "bridge: drifted link": 5,
  "bridge: removal": 4,
  "bridge under networkd: fresh host": 6,
  "bridge under systemd: fresh host": 4,
  "bridge with a password: fresh host": 3,
  "bridge with a password: password changed": 3,
  "bridge with a password: removal": 3,
  "docker options: existing daemon.json": 5,
  "docker network: drifted network": 3,
  "docker restart: pending": 4,
  "service: fresh host": 3,
};

for (const [name, count] of Object.entries(SAMPLES)) {
  test(`${name}: ${ALL ? "all" : count} faults leave no file half-written, and the next run finishes (TEST_SEED=${SEED})`, async () => {
    const scenario = SCENARIOS.find((each) => each.name === name);
    assert.ok(scenario);
    const host = cluster.host(scenario.network ? "apollo2" : "apollo1");
    const recorded = await recordRun(host, scenario);
    assert.ok(recorded.faults.length > count);
    assert.ok(recorded.faults.some(({ kind }) => kind === "start"));
    const wrong: string[] = [];
    let last: Outcome | null = null;
    for (const fault of sample(recorded.faults, count)) {
      last = await runWithFault(host, recorded, fault, last?.untouched === true);
      wrong.push(...last.wrong.slice(0, 20).map((what) => `${nameOf(fault)}: ${what}`));
    }
    assert.equal(wrong, []);
  });
}

for (const [name, first, second] of ALL ? PAIRS : PAIRS.slice(1, 2)) {
  test(`two runs at once (${name}): the result is one of the two`, async () => {
    for (const delay of [0, 0.1]) assert.equal(await race(cluster.host("apollo1"), first, second, delay), []);
  });
}

test(`after a power failure during a play, the next play completes the work (TEST_SEED=${SEED})`, async () => {
  const host = cluster.host("apollo1");
  const play = await recordPlay(host);
  for (const { at, program } of sample(play.moments, 2)) {
    assert.equal(await powerCutAt(host, play, at), [], `as program ${at} was started: ${program}`);
  }
});

test.run();
