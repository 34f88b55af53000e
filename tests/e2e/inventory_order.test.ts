import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ansiblePlaybook, ROOT } from "./playbook";

/**
 * Which indexes fresh hosts of nested groups get, as Apollo's were: a service's group has the groups of machines, and each of
 * these has the group of a role's tag that terraform.py makes. Ansible walks through such groups by Python's sets, whose
 * order differs from process to process. No host is connected to.
 */
const test = suite("the inventory's order");
let directory: string;
test.before(() => {
  directory = mkdtempSync(join(tmpdir(), "apollo-weave-inventory-"));
});
test.after(() => rmSync(directory, { recursive: true }));

const NESTED = {
  ini: `[role_master]
master1
master2
[role_agent]
agent[1:3]
[role_edge]
edge1
[mesos_masters:children]
role_master
[mesos_agents:children]
role_agent
role_edge
[weave_servers:children]
mesos_masters
mesos_agents
`,
  // The group is there before its hosts.
  yml: `all:
  children:
    weave_servers:
      children:
        mesos_masters: {children: {role_master: {hosts: {master1: , master2: }}}}
        mesos_agents:
          children:
            role_agent: {hosts: {agent1: , agent2: , agent3: }}
            role_edge: {hosts: {edge1: }}
`,
};
const HOSTS = {
  indexes: { master1: 1, master2: 2, agent1: 3, agent2: 4, agent3: 5, edge1: 6 },
  service_hosts: ["agent1", "agent2", "agent3", "edge1", "master1", "master2"],
};

async function hosts(inventory: string, seed: number, ansible: "oldest" | "newest"): Promise<unknown> {
  const env = { ANSIBLE_FILTER_PLUGINS: join(ROOT, "roles/weave/filter_plugins"), PYTHONHASHSEED: String(seed) };
  const { results, output } = await ansiblePlaybook(inventory, ["tests/e2e/plays/order.yml"], { ansible, env });
  return results[0]?.result.msg ?? output;
}

for (const [ansible, kind, seeds] of [
  ["oldest", "ini", [0, 1, 2, 3, 4, 5]],
  ["oldest", "yml", [0, 1, 2]],
  ["newest", "ini", [0, 1, 2, 3, 4, 5]],
] as const) {
  test(`nested groups (${kind}), ${ansible} ansible-core: always the order in which the inventory names the hosts`, async () => {
    const inventory = join(directory, `inventory.${kind}`);
    writeFileSync(inventory, NESTED[kind]);
    for (const seed of seeds) assert.equal(await hosts(inventory, seed, ansible), HOSTS, `seed ${seed}`);
  });
}

test.run();
