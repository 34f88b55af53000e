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

test("a bool is a word that Ansible's filter bool takes as it is meant, in every version: any other is false there", () => {
  for (const word of [true, false, 0, 1, "yes", "no", "On", "off", "TRUE", "false", "1", "0"]) {
    assert.is(wrong({ weave_dns: word }), "", String(word));
  }
  for (const word of ["y", "t", "n", "f", "1.0", "0.0", " true", "true\n", 2]) {
    assert.match(
      wrong({ scope_enabled: word }),
      `scope_enabled: must be true or false (found "${word}" for a). Set one`,
    );
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

test("a variable of the role by another case, with dashes or with a letter too few or too many is rejected, as Ansible ignores it", () => {
  for (const [name, meant] of [
    ["weave-password", "weave_password"],
    ["Weave_password", "weave_password"],
    ["WEAVE_MAC", "weave_mac"],
    ["wave_password", "weave_password"],
    ["weavepassword", "weave_password"],
    ["eave_datapath", "weave_datapath"],
  ] as const) {
    assert.is(
      wrong({}, [name]),
      `${name}: must not be so similar to a variable of the role weave that one may be meant (found it for a). Did you mean ${meant}? If another role reads it, add it to weave_ignored_variables.`,
    );
    assert.is(wrong({ weave_ignored_variables: [name] }, [name]), "");
  }
  for (const name of ["vault_weave_password", "web_password", "wordpress_version", "wg_port", "workers", "_weave_x"])
    assert.is(wrong({}, [name]), "", name);
});

test("a variable that can't be rendered is rejected by its name and the reason, before anything else is read", () => {
  const unrendered = { weave_password: "'vault_weave_password' is undefined", weave_mac: "could not locate file" };
  assert.is(
    wrong({ weave_datapath: "x", unrendered }),
    "weave_password: must use variables that are defined (found that 'vault_weave_password' is undefined, for a). Define it in the inventory, with -e or as a fact that is gathered before, or correct the name. " +
      "weave_mac: must have a value that Ansible can read (found an error for a: could not locate file). Correct it.",
  );
});

/** Values of each kind that YAML has, and some that look like one of another. */
const ODD: readonly unknown[] = [
  ...[null, "", " ", ",", "a", "{", "[]", "{}", "None", "0", "-1", "1e9", "é\n", "127.0.0.1", "localhost"],
  ...[0, 1, -1, 1.5, 1e21, true, false],
  ...[[], [""], [null], [[]], [["a"]], [{}], [1], ["a,b"], {}, { "": "" }, { a: null }, { a: [] }, { a: { b: [{}] } }],
  ...[[{ image: "a:1" }], [{ image: null, file: [] }], [{ url: {} }]],
];

test("whatever a variable is set to, the checks end with a sentence or without one", () => {
  const options = SPECS.argument_specs.main.options as Record<string, { default?: unknown }>;
  const defaults = Object.fromEntries(
    Object.entries(options).flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value]])),
  );
  for (const datapath of ["vxlan", "router"]) {
    for (const name of Object.keys(options)) {
      for (const value of ODD) {
        const given = { ...defaults, weave_datapath: datapath, [name]: value };
        const what = `${name}: ${JSON.stringify(value)}`;
        const says =
          wrong(given) ||
          callPlugin<string>("weave_invalid_values", "find_invalid_values", [given, "a", datapath, "bridge", true]) ||
          callPlugin<string>("weave_invalid_docker_opts", "find_invalid_docker_opts", [given, "a", []]) ||
          callPlugin<string>("weave_invalid_references", "find_invalid_references", [
            given,
            "a",
            ["a"],
            ["a"],
            "set up",
          ]) ||
          callPlugin<string>("weave_contradictions", "find_contradictions", [
            given,
            "a",
            [],
            true,
            datapath === "router",
            1,
          ]) ||
          callPlugin<string>("weave_invalid_sources", "find_invalid_sources", [given["weave_image_archives"] ?? []]);
        assert.ok(says === "" || /^[\w.[\]]+: .+\.( |$)/s.test(says), `${what}: ${says}`);
      }
    }
  }
});

test("the first task names the variable that is not defined, and no template of the role", async () => {
  const vars = "ansible_connection=local ansible_become=false weave_datapath=vxlan";
  const hosts = `[weave_servers]
docker1 ${vars} weave_password='secret-{{ vault_weave_password }}'
docker2 ${vars} weave_mac='{{ macs.docker2 }}' weave_bin='{{ bin }}' bin='{{ directory }}/weave'
docker3 ${vars} weave_docker_opts='{{ opts }}'
docker4 ${vars} weave_underlay_address='{{ ansible_facts.eth1.ipv4.address }}'
docker5 ${vars} weave_url="{{ lookup('ansible.builtin.file', '/nowhere/url') }}"
[weave_servers:vars]
macs={}
`;
  const run = await playWithoutHosts("site.yml", hosts, "--check", "-e", '{"opts": {"dns": ["8.8.8.8", "{{ ns }}"]}}');
  const says = failures(run);
  const define = "Define it in the inventory, with -e or as a fact that is gathered before, or correct the name.";
  assert.is(
    says["docker1"],
    `weave_password: must use variables that are defined (found that 'vault_weave_password' is undefined, for docker1). ${define}`,
  );
  assert.match(
    says["docker2"] ?? "",
    /^weave_mac: must use variables that are defined \(found that .*has no attribute 'docker2'/,
  );
  assert.match(
    says["docker2"] ?? "",
    "weave_bin: must use variables that are defined (found that 'directory' is undefined, for docker2).",
  );
  assert.match(
    says["docker3"] ?? "",
    "weave_docker_opts: must use variables that are defined (found that 'ns' is undefined, for docker3).",
  );
  assert.match(says["docker4"] ?? "", /^weave_underlay_address: .*has no attribute 'eth1'/);
  assert.match(
    says["docker5"] ?? "",
    /^weave_url: must have a value that Ansible can read \(found an error for docker5: .*\/nowhere\/url/,
  );
  for (const hidden of ["secret-", "__weave", "weave_variable_values", "unhandled"])
    assert.not.match(run.output, hidden);
  for (const message of Object.values(says)) assert.ok(message.length < 500, message);
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
