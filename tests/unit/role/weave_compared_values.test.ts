import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { HOSTILE } from "../support/hostile_values";
import { type Reader, ROUTER, wrong } from "../support/invalid_values";
import { callPlugin } from "../support/python";
import { rejectedValues, variablesOf } from "../support/role_variables";

/** Of many values, weave_invalid_values.py and weave_invalid_variables.py reject just those that the modules reject. */
const test = suite("the values of the role's variables, compared with the modules' options");

const { options: SPEC } = (
  parse(readFileSync(join(__dirname, "../../../roles/weave/meta/argument_specs.yml"), "utf8"), { merge: true }) as {
    argument_specs: { main: { options: Readonly<Record<string, { readonly type: string }>> } };
  }
).argument_specs.main;

/** Right and wrong values for every kind of option. */
const KEY = `${"A".repeat(43)}=`;
const CORPUS: readonly unknown[] = [
  ...[
    "10.2.0.0/16",
    "10.2.0.1/16",
    "10.2.0.1/99",
    "10.2.1.0/24",
    "10.2.1.0/30",
    "10.2.1.0/31",
    "010.2.0.0/16",
    "10.2/16",
  ],
  ...["224.0.0.0/8", "127.0.0.0/8", "0.0.0.0/0", "10.2.0.0/0", "10.2.0.0/016", "10.2.0.0/", "fd00::/64"],
  ...["192.168.50.11", "192.168.50.300", "127.0.0.1", "224.0.0.1", "0.0.0.0", "255.255.255.255", "fd00::1", "1.2.3"],
  ...[
    "host2",
    "my_host",
    "host2.example.com",
    "-host",
    "host-",
    "a..b",
    "a".repeat(64),
    "a.".repeat(130),
    "host2:6783",
    "host2:0",
  ],
  ...[
    "192.168.50.11,192.168.50.12 host3",
    "host2:70000",
    "2.8.1",
    "2",
    "2.8.1-rc1",
    "v2.8.1",
    "/usr/bin/weave",
    "/usr/bin/we ave",
  ],
  ...["0e:5f:33:00:00:01", "0E:5F:33:00:00:01", "0f:5f:33:00:00:01", "00:00:00:00:00:00", "0e-5f-33-00-00-01"],
  ...["weave", "bridge", "host", "none", "default", "a/b", "a.b", "a_b", "_a", ".", "-", "all", "x".repeat(16)],
  ...[
    0,
    1,
    -1,
    8,
    9,
    30,
    31,
    3600,
    3601,
    65535,
    65536,
    16777215,
    16777216,
    16777217,
    1e20,
    "1",
    " 1 ",
    "+1",
    "01",
    "1.5",
    1.5,
  ],
  ...[
    "--name=x",
    "--no-dns",
    "--password=x",
    "--http-addr=x",
    "--httpaddr=x",
    "--X",
    "-x",
    "--ipalloc-range=10.0.0.0/8",
  ],
  ...["a password of 16 characters", KEY, `${"A".repeat(42)}B=`, "service.consul", "1.2", "x.", "auto", "router"],
  ...[
    true,
    false,
    "yes",
    { A: "b" },
    { "A B": "c" },
    { "192.168.50.12": KEY },
    { WEAVE_PEERS: "x" },
    { A: 1 },
    { A: true },
  ],
  ...[["192.168.50.12", "host3"], ["a b"], [1], ["--no-dns"], []],
  ...Object.values(HOSTILE).filter((value) => value.length < 1000 && !/\0|\p{Cs}/u.test(value)),
];

/** Types and choices are the filter weave_invalid_variables' matter, the rest is checked in other ways. */
const OTHERWISE = [
  "weave_docker_opts",
  "weave_underlay_address",
  "weave_underlay_interface",
  "weave_expose",
  "weave_dns",
  // Passed as lists, which the module splits.
  "weave_dns_domain",
];

for (const module of ["weave_bridge", "weave_service", "docker_bridge_opts"] as const) {
  for (const [option, variable] of variablesOf(module).filter(([, name]) => !OTHERWISE.includes(name))) {
    // What the role passes on as Docker's subnet and the bridge's address is weave_bridge's result.
    if (module === "docker_bridge_opts" && /subnet|bridge$/.test(variable)) continue;
    test(`${variable}: of any value, ${module} rejects just what the role rejects`, () => {
      // With the mode bridge, weave_bridge gets the router's peers, too.
      const reader: Reader = module === "weave_service" ? { ...ROUTER, mode: "proxy" } : {};
      for (const value of CORPUS) {
        const unset = value === "" && ["weave_bridge", "weave_docker_subnet", "weave_mac"].includes(variable);
        const pairs = typeof value === "string" && SPEC[variable]?.type === "dict";
        if (unset || pairs) continue;
        const types = callPlugin<string>("weave_invalid_variables", "find_invalid_variables", [
          SPEC,
          { [variable]: value },
          [],
          "a",
        ]);
        const role = types || wrong(variable, value, reader);
        assert.is(role !== "", rejectedValues(module, { [option]: value }) !== "", `${JSON.stringify(value)}: ${role}`);
      }
    });
  }
}

test.run();
