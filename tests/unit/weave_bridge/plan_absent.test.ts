import { test } from "uvu";
import * as assert from "uvu/assert";
import { plan } from "../../../modules/weave_bridge/plan";
import { inWords, subjects } from "../support/changes";
import { userErrorOf } from "../support/user_error";
import { FRESH, router, STANZA, steadyVxlan } from "./fixtures";

const absent = (more: Record<string, unknown> = {}) => router({ state: "absent", host_index: null, ...more });

test("everything that was created is removed, live first", () => {
  const observed = { ...steadyVxlan(), upInIfupdown: true };
  assert.equal(
    inWords(plan(absent(), observed).changes).map(({ subject, steps }) => [subject, ...steps]),
    [
      ["bridge weave: datapath", "ip link del dev weave-vx"],
      ["bridge weave", "ip link del dev weave"],
      [
        "bridge weave: iptables rule",
        "iptables -w -D FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT",
      ],
      [STANZA, `remove ${STANZA}`],
      ["ifupdown: weave", "ifdown --force --ignore-errors weave"],
    ],
  );
});

test("on a fresh host there is nothing to remove", () => {
  assert.equal(plan(absent(), FRESH).changes, []);
});

test("another program's line in /etc/network/interfaces stays", () => {
  const interfaces = { content: "source /etc/network/interfaces.d/*.cfg\n", mode: 0o644 };
  assert.equal(plan(absent(), { ...FRESH, interfaces }).changes, []);
});

test("an added line is removed, unless it reads another bridge's file", () => {
  const line = (pattern: string) =>
    `# Added by Ansible's weave_bridge, which removes both lines with the bridge.\nsource ${pattern}\n`;
  const left = (content: string, ...interfacesDirectory: string[]): string | undefined =>
    plan(absent(), { ...FRESH, interfaces: { content, mode: 0o644 }, interfacesDirectory }).changes[0]?.after;
  const all = line("/etc/network/interfaces.d/*.cfg");
  const other = line("/etc/network/interfaces.d/other.cfg");
  assert.is(left(`${all}auto lo\n`, "weave.cfg"), "auto lo\n");
  assert.is(left(`${all}auto lo\n`, "other.cfg", "weave.cfg"), undefined);
  assert.is(left(`${other}${line(STANZA)}auto lo\n`, "other.cfg", "weave.cfg"), `${other}auto lo\n`);
});

test("with containers attached it fails, or is forced and reports the disruption", () => {
  const observed = steadyVxlan();
  const bridge = { ...observed.bridge, ports: ["veth1", "vethwe-bridge", "veth2", "weave-vx"] };
  assert.is(
    userErrorOf(() => plan(absent(), { ...observed, bridge })),
    "bridge weave: must have no containers when it is removed (found 2 ports: veth1, veth2). " +
      "Stop the containers, or set force: true.",
  );
  const { changes } = plan(absent({ force: true }), { ...observed, bridge });
  assert.equal(subjects(changes).slice(0, 3), [
    "bridge weave: datapath",
    "bridge weave: port of the Weave router",
    "bridge weave",
  ]);
  assert.equal(
    changes.flatMap(({ disruption = [] }) => disruption),
    ["traffic between this host and the others", "the network of the attached ports: veth1, veth2"],
  );
});

test("ports that the router keeps for containers which are gone don't count; those of running ones do", () => {
  const observed = steadyVxlan();
  const having = (abandonedPorts: string[]): typeof observed => ({
    ...observed,
    bridge: { ...observed.bridge, ports: ["vethwepl1943", "vethwepl2011"] },
    abandonedPorts,
  });
  const { changes } = plan(absent(), having(["vethwepl1943", "vethwepl2011"]));
  assert.equal(
    changes.flatMap(({ disruption = [] }) => disruption),
    ["traffic between this host and the others"],
  );
  assert.match(
    userErrorOf(() => plan(absent(), having(["vethwepl1943"]))),
    "(found 1 port: vethwepl2011)",
  );
});

test("with ignore_docker_ports the ports of Docker's containers are ignored, but not others", () => {
  const observed = steadyVxlan();
  const leaving = { ...observed, bridge: { ...observed.bridge, ports: ["veth0a1b2c3", "weave-vx"] } };
  assert.match(
    userErrorOf(() => plan(absent(), leaving)),
    "(found 1 port: veth0a1b2c3)",
  );
  assert.equal(plan(absent({ ignore_docker_ports: true }), leaving), plan(absent(), observed));
  const others = { ...observed, bridge: { ...observed.bridge, ports: ["veth0a1b2c3", "tap0", "weave-vx"] } };
  assert.match(
    userErrorOf(() => plan(absent({ ignore_docker_ports: true }), others)),
    "(found 1 port: tap0)",
  );
});

test("a device with the name that is not a bridge is not touched", () => {
  const bridge = { ...steadyVxlan().bridge, isBridge: false };
  assert.match(
    userErrorOf(() => plan(absent(), { ...steadyVxlan(), bridge })),
    /^name: must be a bridge/,
  );
});

test.run();
