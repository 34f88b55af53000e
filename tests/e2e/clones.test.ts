import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { ownInventory } from "./own_inventory";
import { ansiblePlaybook, changedTasks, failures, type PlaybookRun } from "./playbook";

/** Two hosts with one machine-id, as clones of one machine have. Each test starts from the state that the one before left. */
const test = suite("cloned hosts");
let cluster: Cluster;
const ID = "0123456789abcdef0123456789abcdef";
const REPAIR = "rm -f /etc/machine-id /var/lib/dbus/machine-id && systemd-machine-id-setup";

test.before(async () => {
  cluster = await bootHosts(2);
  for (const host of cluster.hosts) await host.write("/etc/machine-id", `${ID}\n`);
});
test.after(() => cluster.down());

/** Runs a playbook where apollo2 has these variables in the inventory. */
const play = (variables: string, ...args: string[]): Promise<PlaybookRun> =>
  ansiblePlaybook(ownInventory(cluster, { apollo1: "", apollo2: variables }, ["weave_datapath=vxlan"]), args);

const mac = async (name: string): Promise<string> =>
  (await cluster.host(name).exec(["cat", "/sys/class/net/weave/address"])).stdout.trim();

const REJECTED =
  /^weave_mac: must be different .* \(found (..:){5}.. for apollo1, apollo2, derived from the machine-id 0123456789abcdef0123456789abcdef of each\)\. .*systemd-machine-id-setup.* or set weave_mac /;

for (const [how, args] of [
  ["a check", ["--check"]],
  ["a run", []],
  ["a run on one of them", ["--limit", "apollo2"]],
] as const) {
  test(`${how}: rejected before anything changes, and the message names both hosts`, async () => {
    const before = await Promise.all(cluster.hosts.map(fingerprint));
    const done = await play("", "site.yml", ...args);
    assert.is(done.status, 2, done.output);
    const failed = failures(done);
    assert.equal(Object.keys(failed).sort(), args[0] === "--limit" ? ["apollo2"] : ["apollo1", "apollo2"], done.output);
    for (const message of Object.values(failed)) assert.match(message, REJECTED);
    const after = await Promise.all(cluster.hosts.map(fingerprint));
    assert.equal(
      before.flatMap((text, index) => differences(text, after[index] ?? "")),
      [],
    );
  });
}

test("with a weave_mac in the inventory they are provisioned, and reach each other", async () => {
  const run = await play("weave_mac=0e:5f:33:00:00:02", "site.yml");
  assert.is(run.status, 0, run.output);
  assert.is(await mac("apollo2"), "0e:5f:33:00:00:02");
  const verified = await play("weave_mac=0e:5f:33:00:00:02", "playbooks/verify.yml");
  assert.is(verified.status, 0, verified.output);
});

test("verify, though limited to one host, names the common MAC address as the cause, and no firewall", async () => {
  const common = await mac("apollo1");
  await cluster.host("apollo2").exec(["ip", "link", "set", "dev", "weave", "address", common]);
  for (const host of cluster.hosts) await host.exec(["ip", "neigh", "flush", "dev", "weave"]);
  const verified = await play("", "playbooks/verify.yml", "--limit", "apollo1");
  assert.is(verified.status, 2);
  const problems = verified.results.find(({ task }) => task.startsWith("weave : Fail and list the problems"))?.result[
    "msg"
  ];
  const lines = (problems as unknown as string[] | undefined) ?? [];
  assert.match(
    lines.join("\n"),
    `apollo1 and apollo2: the bridges must have different MAC addresses (found ${common}, and the machine-id ${ID} on each). If they are clones, run \`${REPAIR}\` on all but one`,
  );
  assert.match(lines.join("\n"), "apollo1 does not reach apollo2");
  assert.not.match(lines.join("\n"), "firewall");
});

test("a clone with a new machine-id, made as the message says, gets another MAC address", async () => {
  await cluster.host("apollo2").exec(["sh", "-c", REPAIR]);
  const run = await play("", "site.yml");
  assert.is(run.status, 0, run.output);
  assert.is.not(await mac("apollo2"), await mac("apollo1"));
  const verified = await play("", "playbooks/verify.yml");
  assert.is(verified.status, 0, verified.output);
  assert.equal(changedTasks(await play("", "site.yml")), []);
});

for (const [name, content] of [
  ["empty", ""],
  ["not set yet", "uninitialized\n"],
] as const) {
  test(`a machine-id that is ${name} is like none`, async () => {
    await cluster.host("apollo1").write("/etc/machine-id", content);
    const done = await play("", "site.yml", "--check", "--limit", "apollo1");
    assert.is(done.status, 2, done.output);
    assert.match(
      failures(done)["apollo1"] ?? done.output,
      /^weave_mac: must be set .* \(found none in \/etc\/machine-id of apollo1\)\. Run systemd-machine-id-setup there, or set weave_mac/,
    );
  });
}

test.run();
