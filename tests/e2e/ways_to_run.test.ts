import { readdirSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { hostIndexOf, peersOf } from "./members";
import { addPlainUser } from "./plain_user";
import { type AnsibleOptions, ansiblePlaybook, changedTasks, complaints, type PlaybookRun } from "./playbook";

/**
 * However the role is run, the cluster is the same, and a run in another way changes nothing. Each test starts
 * from the state that the one before left. */
const test = suite("the ways to run the role");
let cluster: Cluster;
let before: string[];
const fingerprints = (): Promise<string[]> => Promise.all(cluster.hosts.map(fingerprint));

test.before(async () => {
  cluster = await bootHosts(4);
  await Promise.all(cluster.hosts.map(addPlainUser));
});
test.after(() => cluster.down());

const SITE = ["site.yml"];
const PLAYS = "tests/e2e/plays";
const AS_PLAIN_USER = ["--extra-vars", "ansible_user=deploy"];
const WITHOUT_PIPELINING = { ANSIBLE_PIPELINING: "false" };
const withCachedFacts = (): Record<string, string> => ({
  ANSIBLE_GATHERING: "smart",
  ANSIBLE_CACHE_PLUGIN: "jsonfile",
  ANSIBLE_CACHE_PLUGIN_CONNECTION: join(cluster.directory, "facts"),
});

async function play(args: readonly string[], options: AnsibleOptions = {}): Promise<PlaybookRun> {
  const vxlan = ["--diff", "--extra-vars", "weave_datapath=vxlan"];
  const run = await ansiblePlaybook(cluster.inventory, [...vxlan, ...args], options);
  assert.is(run.status, 0, run.output);
  return run;
}

/** Like `play`, and Ansible says nothing against it. */
async function quietPlay(args: readonly string[], options: AnsibleOptions = {}): Promise<PlaybookRun> {
  const run = await play(args, options);
  assert.equal(complaints(run), []);
  return run;
}

/** The bridges' addresses as a run tells them, by host. */
function addresses({ results }: PlaybookRun): Record<string, unknown[]> {
  const told: Record<string, unknown[]> = {};
  for (const { host, result } of results) {
    if (result["docker_subnet"] !== undefined) told[host] = [...(told[host] ?? []), result["address"]];
  }
  return told;
}

/** The first host and the last: what holds for each host of a run needs no more. */
const TWO = ["--limit", "apollo1,apollo4"];
const AS_BY_ONE_RUN = { apollo1: ["10.2.0.1/16"], apollo4: ["10.2.0.4/16"] };

async function assertCluster(): Promise<void> {
  for (const host of cluster.hosts) {
    assert.is(await hostIndexOf(host), host.number);
    const others = cluster.hosts.filter((other) => other !== host).map(({ address }) => address);
    assert.equal(await peersOf(host), others, `peers of ${host.name}`);
  }
}

test("a check on fresh hosts, one after another, by a plain user, with facts that it gathers and keeps", async () => {
  const check = await quietPlay([`${PLAYS}/serial_with_facts.yml`, ...TWO, ...AS_PLAIN_USER, "--check"], {
    env: withCachedFacts(),
  });
  assert.equal(addresses(check), AS_BY_ONE_RUN);
  assert.equal(readdirSync(join(cluster.directory, "facts")).sort(), ["apollo1", "apollo4"]);
});

test("a fresh cluster by limited runs, serial and the strategy free gets the same indexes and peers as by one run", async () => {
  await quietPlay([...SITE, "--limit", "apollo4", ...AS_PLAIN_USER], { env: WITHOUT_PIPELINING });
  const serial = await quietPlay([`${PLAYS}/serial_with_facts.yml`, "--limit", "apollo1,apollo2"], {
    ansible: "newest",
  });
  const restarts = changedTasks(serial).filter((task) => task.endsWith("restart docker"));
  assert.equal(restarts, ["apollo1: weave : restart docker", "apollo2: weave : restart docker"]);
  const order = serial.results.map(({ host }) => host);
  assert.ok(
    order.lastIndexOf("apollo1") < order.indexOf("apollo2"),
    "apollo2 waits until apollo1 has its Docker again",
  );
  const free = await play([`${PLAYS}/free.yml`]);
  // That `run_once` runs on each host, which does no harm here.
  assert.equal(
    complaints(free).filter((line) => !/Using run_once with the free strategy/.test(line)),
    [],
  );
  await assertCluster();
  before = await fingerprints();
});

const OTHER_WAYS: readonly { name: string; args: readonly string[]; options?: () => AnsibleOptions }[] = [
  {
    name: "by a plain user, without pipelining, by the tag",
    args: [...SITE, ...TWO, ...AS_PLAIN_USER, "--tags", "weave"],
    options: () => ({ env: WITHOUT_PIPELINING }),
  },
  {
    name: "one host after another, with facts from the cache",
    args: [`${PLAYS}/serial_with_facts.yml`, ...TWO],
    options: () => ({ env: withCachedFacts() }),
  },
];

for (const { name, args, options } of OTHER_WAYS) {
  test(`a run ${name} probes all and changes nothing`, async () => {
    const run = await quietPlay(args, options?.());
    assert.equal(addresses(run), AS_BY_ONE_RUN);
    assert.equal(changedTasks(run), [], run.output);
    assert.not.ok(run.results.some(({ task }) => task === "Gathering Facts"));
  });
}

test("indexes by a role's parameters, a play's variables or a task's; the role in roles, included or imported", async () => {
  const check = await quietPlay([`${PLAYS}/own_indexes.yml`, "--check", "--limit", "apollo3"], {
    ansible: "newest",
  });
  assert.equal(addresses(check), { apollo3: ["10.2.0.13/16", "10.2.0.23/16", "10.2.0.33/16"] });
});

/** The names of the role's own tasks that were not skipped. */
const ran = ({ results }: PlaybookRun): string[] =>
  results.flatMap(({ outcome, task }) => (outcome === "skipped" ? [] : [task.replace("weave : ", "")]));

test("without the tag weave nothing is done, and by the tag scope nothing where Scope is off", async () => {
  assert.equal(ran(await quietPlay([...SITE, "--limit", "apollo1", "--skip-tags", "weave"])), []);
  const probe = ran(await quietPlay([...SITE, "--limit", "apollo1", "--tags", "scope"]));
  assert.ok(probe.includes("Probe the host"), probe.join());
  assert.equal(
    probe.filter((task) => /bridge|Docker|Run /.test(task)),
    [],
  );
});

test("nothing of all this has changed anything on a host", async () => {
  const after = await fingerprints();
  assert.equal(
    before.flatMap((text, index) => differences(text, after[index] ?? "")),
    [],
  );
});

/** What a check says would change: task and diff. */
const changes = ({ results }: PlaybookRun): object[] =>
  results.filter(({ result }) => result.changed).map(({ task, result }) => ({ task, diff: result.diff }));

test("a play by the tag scope does the same as that step of the whole play", async () => {
  const host = cluster.host("apollo1");
  await installWeaveStandIn(host);
  await host.write("/usr/local/bin/scope", "#!/bin/sh\n", 0o755);
  const variables = {
    weave_datapath: "router",
    weave_scope_enabled: true,
    weave_image_archives: [{ image: "nobody-has/this:1", file: "README.md" }],
  };
  const check = (...more: string[]): Promise<PlaybookRun> =>
    quietPlay([...SITE, "--limit", "apollo1", "--check", "--extra-vars", JSON.stringify(variables), ...more]);
  const whole = changes(await check());
  const first = whole.findIndex(
    (change) => "task" in change && change.task === "weave : Copy the file from the controller",
  );
  assert.is.not(first, -1, JSON.stringify(whole));
  // The images come with Scope's step if the router's step does not run.
  const router = "weave : Run the Weave router";
  const scope = whole.slice(first).filter((change) => !("task" in change && change.task === router));
  assert.equal(changes(await check("--tags", "scope")), scope);
});

test.run();
