import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse, stringify } from "yaml";
import { MODULES } from "../../build/modules";
import type { Cluster } from "../hosts/cluster";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { bootHosts } from "./hosts";
import { ansiblePlaybook } from "./playbook";
import type { TaskResult } from "./task_result";

/** What the modules' documentation shows is so: its examples run, and what it says is returned is. */
const test = suite("the modules' documentation");
let cluster: Cluster;
const results: TaskResult[] = [];

test.before(async () => {
  cluster = await bootHosts(1);
});
test.after(() => cluster.down());

type Task = Readonly<Record<string, unknown>> & { readonly name: string };
const examples = MODULES.flatMap(({ docs }) => parse(docs.examples) as Task[]);
const HANDLER = "restart docker";

/** The examples in an order in which they make sense on one host, by the version of the weave script that they are for. */
const STORY: Readonly<Record<string, readonly string[]>> = {
  "2.8.1": [
    "Addresses of one's own choice",
    "The same joined by the kernel's VXLAN",
    "Host 1 of a cluster that the Weave router joins",
    "Put Docker's containers on the bridge weave",
    "The same from Apollo's variable",
    "As keys of daemon.json, where Docker is to have them",
    HANDLER,
    "Run the router on the bridge that weave_bridge made",
    "Remove the router",
    "Return to docker0",
    HANDLER,
    "Nothing of it any more",
    "Run Weave's own bridge beside docker0, with the fast datapath and the proxy, and an address for the host",
    "Remove the router",
  ],
  "1.9.8": [
    "Run the router of Weave 1.x beside docker0",
    "Run the proxy of Weave 1.x, which is a container of its own that goes with the router",
  ],
};

test("the examples below are all that there are", () => {
  assert.equal([...new Set(Object.values(STORY).flat())].sort(), examples.map(({ name }) => name).sort());
});

for (const [version, names] of Object.entries(STORY)) {
  test(`each example runs, with weave ${version}`, async () => {
    await installWeaveStandIn(cluster.host("apollo1"), { version });
    const isHandler = ({ name }: Task): boolean => name === HANDLER;
    const tasks = names.map((name) =>
      name === HANDLER
        ? { name: "Restart Docker now", "ansible.builtin.meta": "flush_handlers" }
        : examples.find((task) => task.name === name),
    );
    const play = { hosts: "weave_servers", gather_facts: false, tasks, handlers: examples.filter(isHandler) };
    const path = join(cluster.directory, "examples.yml");
    writeFileSync(path, stringify([play]));
    const run = await ansiblePlaybook(cluster.inventory, ["--module-path", "roles/weave/library", "--diff", path]);
    assert.is(run.status, 0, run.output);
    assert.equal(
      run.results.filter(({ result }) => !result.changed).map(({ task }) => task),
      [],
      "each changes something",
    );
    results.push(...run.results);
  });
}

test("each value that is documented has been returned", () => {
  const returned = (name: string, actions: readonly string[]): boolean =>
    results.some(({ action, result }) => actions.includes(action) && (result[name] ?? null) !== null);
  for (const { module, docs } of MODULES) {
    assert.equal(
      Object.keys(docs.returns).filter((name) => !returned(name, [module.name])),
      [],
      module.name,
    );
  }
  const all = MODULES.map(({ module }) => module.name);
  assert.ok(returned("changes", all) && returned("disruptions", all));
});

test.run();
