import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { bootHosts } from "./hosts";
import { hostIndexOf, peersOf } from "./members";
import { ownInventory } from "./own_inventory";
import {
  type AnsibleOptions,
  ansibleModule,
  ansiblePlaybook,
  changedTasks,
  complaints,
  failures,
  type PlaybookRun,
} from "./playbook";

/**
 * Which index and which peers each host gets as hosts come and go, in whole and in limited runs. Each test starts from the
 * state that the one before left.
 */
const test = suite("the hosts' indexes");
let cluster: Cluster;
test.before(async () => {
  cluster = await bootHosts(4);
});
test.after(() => cluster.down());

interface Given extends AnsibleOptions {
  readonly play?: string;
  /** Each host's variables in the inventory, by its name; none by default. */
  readonly hosts?: (name: string) => string;
  /** All hosts' variables in the inventory. */
  readonly all?: readonly string[];
}

/** Runs the playbook where these hosts, in this order, are the group. */
async function play(order: readonly string[], args: readonly string[], given: Given = {}): Promise<PlaybookRun> {
  const hosts = Object.fromEntries(order.map((name) => [name, given.hosts?.(name) ?? ""]));
  const inventory = ownInventory(cluster, hosts, ["weave_datapath=vxlan", ...(given.all ?? [])]);
  // A host that is off need not be waited for as long as Ansible's own ten seconds.
  const options = { ...given, env: { ANSIBLE_TIMEOUT: "4", ...given.env } };
  const done = await ansiblePlaybook(inventory, [given.play ?? "site.yml", "--diff", ...args], options);
  assert.equal(
    complaints(done).filter((line) => !line.startsWith("[ERROR]: Task failed")), // which rejections are, to the newest
    [],
  );
  return done;
}

function assertPasses(done: PlaybookRun): PlaybookRun {
  assert.is(done.status, 0, done.output);
  return done;
}

/** The names of the hosts outside the run that were asked. */
const probedHosts = (done: PlaybookRun): string[] =>
  done.results
    .filter(({ task, outcome }) => task.endsWith("Probe the hosts outside this run") && outcome !== "skipped")
    .flatMap(({ result }) => (result["results"] as { item: string }[]).map(({ item }) => item))
    .sort();

async function assertIndexes(indexes: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, number] of Object.entries(indexes)) {
    assert.is(await hostIndexOf(cluster.host(name)), number, name);
  }
}

/** Fails unless the host sends frames to just these others. */
async function assertPeers(name: string, peers: readonly string[]): Promise<void> {
  const expected = peers.map((peer) => cluster.host(peer).address).sort();
  assert.equal(await peersOf(cluster.host(name)), expected, `peers of ${name}`);
}

/** Fails where a run did, or would do, anything else on a host than tell it of other peers. */
function assertOnlyPeers(done: PlaybookRun, name: string): void {
  const changed = done.results.filter(({ host, result }) => host === name && result.changed);
  assert.equal(
    changed.map(({ task }) => task),
    ["weave : Configure the bridge"],
    done.output,
  );
  for (const { before = "", after = "", before_header: header } of changed.flatMap(({ result }) =>
    [result.diff ?? []].flat(),
  )) {
    const [old, now] = [before.split("\n"), after.split("\n")];
    const moved = [...old.filter((line) => !now.includes(line)), ...now.filter((line) => !old.includes(line))];
    for (const line of moved) assert.match(line, /192\.168\.50\.1[1-4]/, `${header}: ${line}`);
  }
}

test("a fresh cluster gets Apollo's: 1 to N in the group's order, which is the inventory's", async () => {
  assertPasses(await play(["apollo3", "apollo1", "apollo2"], []));
  await assertIndexes({ apollo3: 1, apollo1: 2, apollo2: 3 });
  await assertPeers("apollo1", ["apollo2", "apollo3"]);
  await cluster.host("apollo3").exec(["ping", "-c", "1", "-W", "2", "10.2.0.3"]);
});

test("hosts keep their indexes when one leaves, one comes and the order changes; the new host gets the free index", async () => {
  const teardown = { play: "playbooks/teardown.yml" };
  assertPasses(await play(["apollo3", "apollo1", "apollo2"], ["--limit", "apollo1"], teardown));
  const done = assertPasses(await play(["apollo2", "apollo4", "apollo3"], []));
  for (const name of ["apollo2", "apollo3"]) assertOnlyPeers(done, name);
  await assertIndexes({ apollo2: 3, apollo4: 2, apollo3: 1 });
  await assertPeers("apollo2", ["apollo3", "apollo4"]);
});

const FOUR = ["apollo1", "apollo2", "apollo4", "apollo3"];

for (const ansible of ["oldest", "newest"] as const) {
  test(`while a host is off, a new host fails by its name, and the others are provisioned (${ansible} ansible-core)`, async () => {
    if (ansible === "oldest") await cluster.host("apollo2").kill();
    const done = await play(FOUR, ["--limit", "apollo1,apollo3"], { ansible });
    assert.is(done.status, 2, done.output);
    const { apollo1, ...others } = failures(done);
    assert.equal(others, {});
    assert.match(
      apollo1 ?? done.output,
      /^weave_host_index: must be set for apollo1 as long as .* \(found no answer from apollo2\)\. Make them reachable, remove them from the group weave_servers, or set weave_host_index in the inventory\.$/,
    );
    assert.equal(probedHosts(done), ["apollo2", "apollo4"]);
    if (ansible === "oldest") assertOnlyPeers(done, "apollo3");
    else assert.equal(changedTasks(done), []);
  });
}

test("with indexes in the inventory, no other host is probed", async () => {
  const indexes: Record<string, number> = { apollo1: 4, apollo2: 3, apollo4: 2, apollo3: 1 };
  const hosts = (name: string): string => `weave_host_index=${indexes[name]}`;
  const done = assertPasses(await play(FOUR, ["--limit", "apollo1", "--check"], { hosts }));
  assert.equal(probedHosts(done), []);
  assert.match(done.output, "10.2.0.4/16");
});

test("a limited run probes all others, and reads the index of a host without its bridge from its boot file", async () => {
  await cluster.host("apollo2").boot();
  await cluster.host("apollo3").exec(["ifdown", "weave"]);
  await cluster.host("apollo4").exec(["ip", "link", "delete", "weave"]);
  const done = assertPasses(await play(FOUR, ["--limit", "apollo1"]));
  assert.equal(probedHosts(done), ["apollo2", "apollo3", "apollo4"]);
  await assertIndexes({ apollo1: 4 });
  await assertPeers("apollo1", ["apollo2", "apollo3", "apollo4"]);
});

test("a whole run repairs them by their own indexes", async () => {
  const done = assertPasses(await play([...FOUR].reverse(), []));
  assert.equal(probedHosts(done), []);
  assertOnlyPeers(done, "apollo2");
  assert.not.match(changedTasks(done).join(), "apollo1");
  await assertIndexes({ apollo1: 4, apollo2: 3, apollo4: 2, apollo3: 1 });
  for (const name of FOUR) {
    await assertPeers(
      name,
      FOUR.filter((other) => other !== name),
    );
  }
});

test("a number that another host has is rejected by both names", async () => {
  const hosts = (name: string): string => (name === "apollo2" ? "weave_host_index=1" : "");
  const done = await play(FOUR, ["--limit", "apollo2"], { hosts });
  assert.is(done.status, 2, done.output);
  assert.match(
    failures(done)["apollo2"] ?? done.output,
    /must be different .* \(found .*1 for apollo2, 1 for apollo3.*\)\. Set another/,
  );
});

test("names that hosts resolve, and addresses on an interface: hosts are asked for these, or facts tell them", async () => {
  const all = ["weave_underlay_interface=eth0"];
  const limited = ["--limit", "apollo1", "--check"];
  const byName = ["apollo1", "apollo2"];
  const hosts = (name: string): string =>
    byName.includes(name) ? 'weave_underlay_address="{{ inventory_hostname }}"' : "";
  const without = assertPasses(await play(FOUR, limited, { all, hosts }));
  assert.equal(probedHosts(without), ["apollo3", "apollo4"]);

  const cache = join(cluster.directory, "facts");
  const env = { ANSIBLE_CACHE_PLUGIN: "jsonfile", ANSIBLE_CACHE_PLUGIN_CONNECTION: cache };
  await ansibleModule(cluster.inventory, "setup", { gather_subset: "network" }, ["--limit", "!apollo1"], { env });
  const cached = assertPasses(await play(FOUR, limited, { all, env }));
  assert.equal(probedHosts(cached), []);
  for (const done of [without, cached]) assert.equal(changedTasks(done), [], done.output);
});

test("an interface that a host does not have is rejected by the host's name", async () => {
  for (const name of ["apollo1", "apollo2", "apollo3"]) {
    const { number } = cluster.host(name);
    const make = `ip link add eth9 type veth peer name eth9-peer && ip addr add 192.168.60.${number}/24 dev eth9`;
    await cluster.host(name).exec(["sh", "-c", make]);
  }
  const done = await play(FOUR, ["--limit", "apollo1"], { all: ["weave_underlay_interface=eth9"] });
  assert.is(done.status, 2, done.output);
  assert.match(
    failures(done)["apollo1"] ?? done.output,
    /^weave_underlay_interface: .* \(found none on eth9 of apollo4\)\. Set each host's own interface/,
  );
});

test.run();
