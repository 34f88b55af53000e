import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, ansibleVersion, changedTasks, complaints, type PlaybookRun } from "./playbook";
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

test.run();
