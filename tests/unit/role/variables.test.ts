import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { renderVariables } from "../../../build/variables";

/** The role's variables: what is declared, what is defaulted and what is documented are the same. */
const test = suite("the role's variables");
const read = (path: string): string => readFileSync(join(__dirname, "../../..", path), "utf8");
const specs = read("roles/weave/meta/argument_specs.yml");
const { options } = (parse(specs) as { argument_specs: { main: { options: Record<string, { default?: unknown }> } } })
  .argument_specs.main;
const defaults = parse(read("roles/weave/defaults/main.yml")) as Record<string, unknown>;

/** Variables of an Apollo tree that the role reads. */
const APOLLOS = ["consul_domain", "docker_host", "proxy_env", "scope_enabled", "scope_bin", "scope_url"];
/** They have no default: what matters is whether they are set. */
const WITHOUT_DEFAULT = [
  "weave_host_index",
  "weave_underlay_address",
  "weave_password",
  "weave_wireguard_key",
  "weave_iptables_backend",
  ...APOLLOS,
];

test("each default is of a declared variable, and each declared variable has a default or none on purpose", () => {
  assert.equal(
    Object.keys(options)
      .filter((name) => !(name in defaults))
      .sort(),
    WITHOUT_DEFAULT.sort(),
  );
  assert.equal(
    Object.keys(defaults).filter((name) => !(name in options)),
    [],
  );
});

test("a declared default is the actual one", () => {
  for (const [name, { default: declared }] of Object.entries(options)) {
    const value = defaults[name];
    const computed = typeof value === "string" && value.includes("{{");
    if (declared !== undefined && !computed) assert.equal(value, declared, name);
    if (declared === undefined && name in defaults) assert.ok(computed, `${name} has a default that is not declared`);
  }
});

test("every variable of both of Apollo's generations is declared, and read if it is set", () => {
  const apollos =
    "weave_server_group weave_bridge weave_docker_subnet weave_launch_peers weave_docker_opts weave_scope_url weave_scope_dest weave_scope_enabled weave_version weave_url weave_bin".split(
      " ",
    );
  assert.equal(
    apollos.filter((name) => !(name in options)),
    [],
  );
  const role = read("roles/weave/defaults/main.yml") + read("roles/weave/tasks/install_file.yml");
  for (const name of APOLLOS) assert.match(role, name);
});

test("docs/variables.md is what `npm run build` makes", () => {
  assert.is(read("docs/variables.md"), renderVariables(specs));
});

test.run();
