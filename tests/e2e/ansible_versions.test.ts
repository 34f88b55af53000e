import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { bootHosts } from "./hosts";
import { ownInventory } from "./own_inventory";
import { ansiblePlaybook, ansibleVersion, changedTasks, complaints, failures, type PlaybookRun } from "./playbook";
import { assertPredicted } from "./prediction";

/**
 * The main job by the newest ansible-core that Debian has, without a word from Ansible against how the role is written. By the
 * oldest one that the role is for provisioning.test.ts does it.
 */
const test = suite("site.yml by the newest ansible-core");
let cluster: Cluster;
let version = "";
let check: PlaybookRun;

// Ansible's own modules go over the same connection that starts them, or as files before; neither may show.
const play = async (pipelining: boolean, ...args: string[]): Promise<PlaybookRun> => {
  const env = { ANSIBLE_PIPELINING: String(pipelining) };
  const vxlan = ["site.yml", "--diff", "--extra-vars", "weave_datapath=vxlan"];
  const run = await ansiblePlaybook(cluster.inventory, [...vxlan, ...args], { ansible: "newest", env });
  assert.is(run.status, 0, `ansible-core ${version}:\n${run.output}`);
  assert.equal(complaints(run), [], `ansible-core ${version}`);
  return run;
};

test.before(async () => {
  cluster = await bootHosts(2);
  version = await ansibleVersion("newest");
});
test.after(() => cluster.down());

test("they are the versions that are meant", async () => {
  const oldest = await ansibleVersion("oldest");
  assert.match(oldest, /^2\.14\./);
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? [];
  assert.ok(major === "2" && Number(minor) > 14, `the newest is ${version}, the oldest ${oldest}`);
});

test("a group without hosts is rejected as by the oldest", async () => {
  for (const playbook of ["playbooks/verify.yml", "site.yml"]) {
    const args = [playbook, "--extra-vars", "weave_server_group=nobody"];
    const { status, output, results } = await ansiblePlaybook(cluster.inventory, args, { ansible: "newest" });
    assert.is.not(status, 0, output);
    assert.match(
      output,
      "weave_server_group: must be a group with hosts (found none in the group nobody). Add hosts to it in the inventory (-i), or",
    );
    assert.equal(results, []);
  }
});

test("a check on fresh hosts, with pipelining, passes", async () => {
  check = await play(true, "--check");
  assert.is.not(changedTasks(check).length, 0);
});

test("the run, without pipelining, makes what the check announced, task by task", async () => {
  assertPredicted(check, await play(false));
});

test("a run again, with pipelining, changes nothing", async () => {
  assert.equal(changedTasks(await play(true)), []);
});

/** A check by the newest and by the oldest, as templates and null are not the same to them. */
async function checkByBoth(inventory: string, ...args: string[]): Promise<PlaybookRun[]> {
  const runs = [];
  for (const ansible of ["newest", "oldest"] as const)
    runs.push(await ansiblePlaybook(inventory, ["site.yml", "--check", ...args], { ansible }));
  return runs;
}

test("a variable that is null is one that is not set", async () => {
  const names =
    "mac bridge docker_subnet wireguard_identity wireguard_key password underlay_address underlay_interface";
  const nulls = Object.fromEntries(names.split(" ").map((name) => [`weave_${name}`, null]));
  const vars = JSON.stringify({ weave_datapath: "vxlan", ...nulls, proxy_env: "" });
  for (const run of await checkByBoth(cluster.inventory, "--extra-vars", vars)) {
    assert.is(run.status, 0, run.output);
    assert.equal(changedTasks(run), []);
  }
});

test("a variable that is not defined is named, and a template of another host's address becomes no peer", async () => {
  const address = "weave_underlay_address='{{ ansible_facts.eth0.ipv4.address }}'";
  const vars = ["weave_datapath=vxlan"];
  const undefinedOne = ownInventory(cluster, { apollo1: "weave_mac='{{ mac }}'", apollo2: "" }, vars);
  for (const run of await checkByBoth(undefinedOne, "--limit", "apollo1")) {
    assert.match(
      failures(run)["apollo1"] ?? run.output,
      /^weave_mac: must use variables that are defined \(found that 'mac' is undefined, for apollo1\)\. /,
    );
  }
  const ofOther = ownInventory(cluster, { apollo1: "", apollo2: address }, vars);
  for (const run of await checkByBoth(ofOther, "--limit", "apollo1")) {
    assert.match(
      failures(run)["apollo1"] ?? run.output,
      /^weave_underlay_address: must be known for hosts that are not reached, too, .* can't be rendered for apollo2,/,
    );
  }
});

test.run();
