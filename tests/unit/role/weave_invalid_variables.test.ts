import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { failures } from "../../e2e/playbook";
import { playWithoutHosts } from "../support/playbook";
import { callPlugin } from "../support/python";

/** roles/weave/filter_plugins/weave_invalid_variables.py, and the role's first task, which asks it. */
const test = suite("the check of the role's variables");

const SPECS = parse(readFileSync(join(__dirname, "../../../roles/weave/meta/argument_specs.yml"), "utf8"), {
  merge: true,
}) as { argument_specs: { main: { options: Record<string, unknown> } } };

/** What is wrong with these variables of the host `a`. */
const wrong = (values: Record<string, unknown>, names: string[] = Object.keys(values)): string =>
  callPlugin("weave_invalid_variables", "find_invalid_variables", [
    SPECS.argument_specs.main.options,
    values,
    names,
    "a",
  ]);

test("right values pass, as YAML, INI or --extra-vars give them", () => {
  for (const values of [
    {},
    { weave_datapath: "vxlan", weave_timeout: 5, weave_dns: true, weave_image_archives: [], weave_env: { A: "b" } },
    { weave_timeout: "5", weave_dns: "False", weave_scope_enabled: "yes", weave_docker_restart: 0 },
    { weave_leaving: "docker3,docker4", weave_launch_peers: ["a"], weave_docker_opts: { dns: ["8.8.8.8"] } },
    { weave_image_archives: [{ image: "a:1", file: "/a.tar" }] },
    { weave_password: "", weave_mac: null, weave_version: 2.8 },
  ]) {
    assert.is(wrong(values), "", JSON.stringify(values));
  }
});

test("values of another type are rejected by the variable's name, and a choice by the nearest one", () => {
  for (const [values, says] of [
    [{ weave_timeout: "5 minutes" }, 'weave_timeout: must be a whole number (found "5 minutes" for a).'],
    [{ weave_host_index: "-+5" }, 'weave_host_index: must be a whole number (found "-+5" for a).'],
    [{ weave_vxlan_id: true }, 'weave_vxlan_id: must be a whole number (found "True" for a).'],
    [{ weave_vxlan_port: null }, "weave_vxlan_port: must be a whole number (found nothing for a)."],
    [{ weave_dns: "maybe" }, 'weave_dns: must be true or false (found "maybe" for a).'],
    [{ weave_env: "A" }, "weave_env: must be a dictionary (found another text for a)."],
    [{ weave_network: ["10.2.0.0/16"] }, "weave_network: must be a string (found a list for a)."],
    [{ weave_image_archives: "a.tar" }, "weave_image_archives[1]: must be a dictionary (found another text for a)."],
    [{ weave_image_archives: ["a.tar"] }, "weave_image_archives[1]: must be a dictionary (found another text for a)."],
    [{ weave_datapath: "vxlna" }, 'weave_datapath: must be router or vxlan (found "vxlna" for a). Did you mean vxlan?'],
    [{ weave_datapath: "ipip" }, 'weave_datapath: must be router or vxlan (found "ipip" for a). Set one of these.'],
    [{ weave_datapath: null }, "weave_datapath: must be router or vxlan (found nothing for a)."],
    [
      { weave_ignored_variables: ["weave_gitops", "weave_network"] },
      "weave_ignored_variables: must name variables of other roles (found weave_network for a, which this role reads). Remove the name.",
    ],
  ] as const) {
    const message = wrong(values);
    assert.is(message.slice(0, says.length), says, message);
  }
});

test("a mistyped variable is rejected, with the one that may be meant", () => {
  assert.match(
    wrong({}, ["weave_datpath", "docker_version"]),
    "weave_datpath: must be a variable of the role weave (found an unknown one for a). Did you mean weave_datapath? If ",
  );
  assert.not.match(wrong({}, ["weave_zzzzzz"]), "Did you mean");
});

test("the role's own variables, another role's that are listed, and the published result are none", () => {
  assert.is(wrong({}, ["__weave_probe", "weave_verify", "ansible_host"]), "");
  assert.is(wrong({ weave_ignored_variables: ["weave_gitops"] }, ["weave_gitops"]), "");
  assert.is(wrong({ weave_ignored_variables: "weave_gitops, weave_flux" }, ["weave_flux"]), "");
});

test("every play begins with it: one sentence for each host, and nothing of the specification", async () => {
  const hosts = `[weave_servers]
good ansible_connection=local ansible_become=false weave_datapath=vxlan
bad ansible_connection=local ansible_become=false weave_datapath=vxlan weave_verify_container=3\n`;
  for (const playbook of ["site.yml", "playbooks/verify.yml", "playbooks/teardown.yml"]) {
    const run = await playWithoutHosts(playbook, hosts, "--check", "--limit", "bad");
    assert.equal(
      Object.values(failures(run)),
      [
        "weave_verify_container: must be a variable of the role weave (found an unknown one for bad). Did you mean weave_verify_containers? If another role reads it, add it to weave_ignored_variables.",
      ],
      run.output,
    );
    assert.equal(
      run.results.filter(({ action, outcome }) => outcome !== "skipped" && /raw|weave|docker/.test(action)),
      [],
    );
    assert.ok(run.output.length < 1500, run.output);
  }
});

test.run();
