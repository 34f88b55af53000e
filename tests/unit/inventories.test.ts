import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { failures, ROOT } from "../e2e/playbook";
import { playFrom } from "./support/playbook";

/** The inventories under examples/: Ansible reads each without a complaint, and the role accepts its variables. */
const test = suite("example inventories");
const DIRECTORY = join(ROOT, "examples/inventories");
const SPECS = parse(readFileSync(join(ROOT, "roles/weave/meta/argument_specs.yml"), "utf8")) as {
  argument_specs: { main: { options: object } };
};
const HOSTS: Readonly<Record<string, number>> = { "apollo.ini": 4, "cloud.yml": 2, "many.yml": 102 };

test("all of them are tried", () => {
  assert.equal(readdirSync(DIRECTORY).sort(), Object.keys(HOSTS).sort());
});

for (const [name, count] of Object.entries(HOSTS)) {
  test(`${name} has ${count} hosts, and no variable that the role does not know`, () => {
    const list = ["--inventory", join(DIRECTORY, name), "--list"];
    const env = { ...process.env, ANSIBLE_INVENTORY_UNPARSED_FAILED: "true" };
    const inventory = JSON.parse(execFileSync("ansible-inventory", list, { encoding: "utf8", env }));
    const hosts = Object.entries<object>(inventory._meta.hostvars);
    assert.is(hosts.length, count);
    const variables = new Set(hosts.flatMap(([, vars]) => Object.keys(vars)));
    const known = Object.keys(SPECS.argument_specs.main.options);
    assert.equal(
      [...variables].filter((variable) => !variable.startsWith("ansible_") && !known.includes(variable)),
      [],
    );
  });
}

test("the scenario for Molecule has the hosts of the README's inventory", () => {
  const { platforms } = parse(readFileSync(join(ROOT, "examples/molecule/default/molecule.yml"), "utf8")) as {
    platforms: { name: string }[];
  };
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  assert.equal(
    platforms.map(({ name }) => name),
    [...readme.matchAll(/^ +(\w+) ansible_host=/gm)].map(([, name]) => name),
  );
});

/** Nobody listens there, so that no host is reached. */
const NOBODY = ["--extra-vars", "ansible_host=127.0.0.1 ansible_port=1"];

test("the role accepts the variables of each, and then finds no host", async () => {
  for (const [name, limit] of [
    ["apollo.ini", "all"],
    ["cloud.yml", "all"],
    ["many.yml", "docker001:other1"],
  ] as const) {
    const text = readFileSync(join(DIRECTORY, name), "utf8");
    const run = await playFrom(ROOT, ["site.yml", "--check", "--limit", limit, ...NOBODY], text);
    assert.not.match(run.output, /weave_\w+: /);
    assert.equal(failures(run), {});
    assert.is(run.status, 4, run.output);
    const mistyped = await playFrom(
      ROOT,
      ["site.yml", "--check", "--limit", limit, ...NOBODY, "--extra-vars", "weave_datapth=vxlan"],
      text,
    );
    assert.match(mistyped.output, "weave_datapth: ");
  }
});

/** Each host is this machine, so that a run ends as one lacks the weave script, or several are clones. Its address among the peers is the inventory's. */
const HERE =
  "ansible_connection=local ansible_become=false weave_datapath=router weave_mode=proxy weave_bin=/nowhere/weave";

/** The peers that a run on some hosts of an inventory finds. */
async function peersIn(name: string, limit: string): Promise<string> {
  const text = readFileSync(join(DIRECTORY, name), "utf8");
  const run = await playFrom(ROOT, ["site.yml", "--check", "--limit", limit, "--extra-vars", HERE], text);
  for (const why of Object.values(failures(run)))
    assert.match(why, /^weave_bin: must be the weave script on |must have different machine-ids/);
  const resolved = run.results.filter(({ task }) => task.endsWith("Resolve the host indexes and addresses"));
  assert.is(resolved.length, 1, run.output);
  const facts = resolved[0]?.result["ansible_facts"] as { __weave_cluster: { peers: string } };
  return facts.__weave_cluster.peers;
}

const numbered = Array.from({ length: 100 }, (_, index) => `docker${String(index + 1).padStart(3, "0")}.example.net`);
const PEERS: readonly (readonly [name: string, peers: readonly string[], limits: readonly string[]])[] = [
  ["apollo.ini", ["192.168.50.11", "192.168.50.12", "192.168.50.13", "192.168.50.21"], ["all", "slave1"]],
  ["cloud.yml", ["10.0.1.11", "10.0.1.12"], ["all", "docker2"]],
  ["many.yml", [...numbered, "198.51.100.11", "198.51.100.12"], ["docker001", "other1", "docker100:other2"]],
];

for (const [name, peers, limits] of PEERS) {
  test(`${name}: whichever hosts a run is limited to, it has the same peers`, async () => {
    for (const limit of limits) assert.is(await peersIn(name, limit), peers.join(), limit);
  });
}

test.run();
