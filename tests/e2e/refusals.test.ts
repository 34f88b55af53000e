import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { ansibleModule, ansiblePlaybook } from "./playbook";
import type { TaskResult } from "./task_result";

const test = suite("bad input");
let cluster: Cluster;
test.before(async () => {
  cluster = await bootHosts(1);
});
test.after(() => cluster.down());

const REFUSALS: Readonly<Record<string, { vars: object; says: RegExp }>> = {
  "a peer that is neither address nor name": {
    vars: { weave_launch_peers: ["192.168.50.12", "192.168.50.300"] },
    says: /^peers: must be an IPv4 address or a host name \(found "192\.168\.50\.300"\)\. Write it as /,
  },
  "a subnet outside the bridge's network": {
    vars: { weave_docker_subnet: "10.3.1.0/24" },
    says: /^docker_subnet: must be in the bridge's network 10\.2\.0\.0\/16 \(found 10\.3\.1\.0\/24\)\. Set a subnet of that network\.$/,
  },
  "a network that the host uses already": {
    vars: { weave_network: "192.168.0.0/16" },
    says: /^network: 192\.168\.0\.0\/16 must not overlap .* \(found 192\.168\.50\.11\/24 on eth0\)\. Set /,
  },
  "an index that does not fit": {
    vars: { weave_host_index: 300 },
    says: /^host_index: 300 does not fit into the network \(found 10\.2\.0\.0\/16, which has room for 254 hosts .*such as 10\.2\.0\.0\/15\.$/,
  },
  "an underlay interface that does not exist": {
    vars: { weave_underlay_interface: "eth7" },
    says: /^weave_underlay_interface: .* \(found none on eth7 of apollo1\)\. Set an interface that all hosts have/,
  },
  "an underlay address that is not the host's": {
    vars: { weave_underlay_address: "192.168.50.77" },
    says: /^underlay: must be a device .* \(found "192\.168\.50\.77"; this host has eth0 192\.168\.50\.11\/24/,
  },
  "a weave script that does not exist": {
    vars: { weave_datapath: "router" },
    says: /^weave_bin: must be the weave script on apollo1 \(found no file \/usr\/local\/bin\/weave\)\. Set weave_sha256 or weave_script_file to install it/,
  },
  "an unknown mode": {
    vars: { weave_mode: "brigde" },
    says: /^Validation of arguments failed:\nvalue of weave_mode must be one of: bridge, proxy, plugin, got: brigde$/,
  },
  "a number that is not a number": {
    vars: { weave_host_index: "first" },
    says: /^Validation of arguments failed:\nargument 'weave_host_index' is of type .* and we were unable to convert to int: /,
  },
  "a Node that does not exist": {
    vars: { ansible_node_interpreter: "/opt/node/bin/node" },
    says: /^ansible_node_interpreter: \/opt\/node\/bin\/node on apollo1 must be Node\.js 16 or newer \(found no program\)\. Correct the path/,
  },
};

/** Why a play failed; all that it printed where no task did. */
function messageOf(results: readonly TaskResult[], output: string): string {
  return results.find(({ outcome }) => outcome === "failed")?.result.msg ?? output;
}

for (const [name, { vars, says }] of Object.entries(REFUSALS)) {
  test(`${name}: refused before anything is touched`, async () => {
    const [host] = cluster.hosts;
    assert.ok(host);
    const before = await fingerprint(host);
    const extra = JSON.stringify({ weave_datapath: "vxlan", ...vars });
    const { status, results, output } = await ansiblePlaybook(cluster.inventory, ["site.yml", "--extra-vars", extra]);
    assert.is(status, 2, output);
    assert.match(messageOf(results, output), says);
    assert.equal(differences(before, await fingerprint(host)), []);
  });
}

test("a number that is not a number, of a host outside the limit: refused by its name", async () => {
  const inventory = join(cluster.directory, "no-number.ini");
  await writeFile(inventory, "[weave_servers]\napollo1\napollo2 weave_host_index=second\n");
  const args = ["-i", inventory, "--limit", "apollo1", "site.yml"];
  const { status, results, output } = await ansiblePlaybook(cluster.inventory, args);
  assert.is(status, 2);
  assert.match(
    messageOf(results, output),
    'weave_host_index: must be a number (found "second" for apollo2). Correct it',
  );
});

test("two hosts of one number: refused by name", async () => {
  const inventory = join(cluster.directory, "two-of-one-number.ini");
  const others = "[weave_servers]\napollo1 weave_host_index=1\napollo2 weave_host_index=1\n";
  await writeFile(inventory, others);
  const { status, results, output } = await ansiblePlaybook(cluster.inventory, [
    "-i",
    inventory,
    "--limit",
    "apollo1",
    "site.yml",
  ]);
  assert.is(status, 2);
  assert.match(
    messageOf(results, output),
    /^weave_host_index: must be different .* \(found 1 for apollo1, 1 for apollo2\)\. Set another/s,
  );
});

test("a password with the VXLAN: refused", async () => {
  const { status, results, output } = await ansiblePlaybook(cluster.inventory, [
    "site.yml",
    "--extra-vars",
    "weave_datapath=vxlan weave_password=secret",
  ]);
  assert.is(status, 2);
  assert.match(messageOf(results, output), "weave_password: the datapath vxlan does not encrypt");
});

test("an unknown option: refused with the options that there are", async () => {
  const { results } = await ansibleModule(cluster.inventory, "weave_bridge", { adress: "10.2.0.1/16" });
  assert.match(
    results[0]?.result.msg ?? "",
    /^Unsupported parameters for \(weave_bridge\) module: adress\. Supported parameters include: address, datapath, /,
  );
});

test.run();
