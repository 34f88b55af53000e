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

/** The examples of the modules' documentation run, and the values that it documents are returned. */
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

/** The examples in an order that works on one host, by the version of the weave script that they need. */
const STORY: Readonly<Record<string, readonly string[]>> = {
  "2.8.1": [
    "Configure a bridge with given addresses",
    "Configure the same with the kernel's VXLAN",
    "Configure the same, encrypted by WireGuard",
    "Configure the bridge of host 1, with the Weave router between the hosts",
    "Create a Docker network on the bridge, and leave Docker's default network as it is",
    "Attach Docker's containers to the bridge weave",
    "Do the same with Apollo's variable",
    "Set keys of daemon.json",
    HANDLER,
    "Run the router on the bridge that weave_bridge has created",
    "Remove the router",
    "Attach containers to docker0 again",
    HANDLER,
    "Remove the bridge and everything that was created for it",
    "Run the router on its own bridge, with the fast datapath, the proxy and an address for the host",
    "Remove the router",
  ],
  "1.9.8": ["Run the router of Weave 1.x and keep docker0", "Run the proxy of Weave 1.x, a separate container"],
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
    const vars = { vaulted_password: "of sixteen letters or more" };
    const play = { hosts: "weave_servers", gather_facts: false, vars, tasks, handlers: examples.filter(isHandler) };
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
