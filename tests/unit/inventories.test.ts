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

/** Nobody listens there, so that no host is reached. */
const NOBODY = ["--extra-vars", "ansible_host=127.0.0.1 ansible_port=1"];

test("the role accepts the variables of each, and then finds no host", async () => {
  for (const name of ["apollo.ini", "cloud.yml"]) {
    const text = readFileSync(join(DIRECTORY, name), "utf8");
    const run = await playFrom(ROOT, ["site.yml", "--check", ...NOBODY], text);
    assert.not.match(run.output, /weave_\w+: /);
    assert.equal(failures(run), {});
    assert.is(run.status, 4, run.output);
    const mistyped = await playFrom(
      ROOT,
      ["site.yml", "--check", ...NOBODY, "--extra-vars", "weave_datapth=vxlan"],
      text,
    );
    assert.match(mistyped.output, "weave_datapth: ");
  }
});

test.run();
