import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { callPlugin } from "../support/role_plugin";

/** roles/weave/lookup_plugins/weave_validation.py, whose function is called as the lookup calls it, on the role's own options. */
const test = suite("the role's variables, validated");

const specs = readFileSync(join(__dirname, "../../../roles/weave/meta/argument_specs.yml"), "utf8");
const { options } = (parse(specs) as { argument_specs: { variables: { options: object } } }).argument_specs.variables;

const refusal = (values: object): string => callPlugin("weave_validation", "refusal", [options, values]);

test("what Ansible makes the right type of is let through", () => {
  assert.is(refusal({ weave_host_index: "3", weave_dns: "yes", weave_leaving: "a,b", weave_mode: "proxy" }), "");
  assert.is(refusal({ weave_docker_opts: { mtu: 1400 }, weave_launch_peers: ["10.0.0.1"] }), "");
});

test("what is not is refused by its name and value, with what it means, a line each", () => {
  const refused = refusal({ weave_mode: "brigde", weave_timeout: "soon", weave_version: "2.8.1" });
  assert.match(
    refused,
    /^weave_mode: "brigde" is refused: .*bridge, proxy, plugin.* It means: How containers get onto .*\nweave_timeout: /,
  );
  assert.match(
    refused,
    /^weave_timeout: "soon" is refused: .* to int.* It means: How many seconds the router has .*$/m,
  );
  assert.is(refused.split("\n").length, 2);
});

test("what is missing within a list is told", () => {
  assert.match(refusal({ weave_image_archives: [{ file: "a.tar" }] }), /^weave_image_archives: .* image found in/);
});

test("of a secret, and of what may hold one, no value is shown", () => {
  for (const option of [{ type: "int", no_log: true }, { type: "dict" }]) {
    const declared = { it: { ...option, description: "" } };
    const refused = callPlugin<string>("weave_validation", "refusal", [declared, { it: "hush" }]);
    assert.ok(refused.startsWith("it: its value is refused: "), refused);
    assert.not.match(refused, "hush");
  }
});

test.run();
