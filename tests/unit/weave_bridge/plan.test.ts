import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ObservedBridge } from "../../../modules/weave_bridge/observed";
import { plan } from "../../../modules/weave_bridge/plan";
import { inWords, subjects } from "../support/changes";
import { matchesGolden } from "../support/golden";
import { userErrorOf } from "../support/user_error";
import { FRESH, golden, MAC, router, STANZA, steadyRouter, steadyVxlan, vxlan, withStanza } from "./fixtures";

/** ifup inserts the iptables rule with the bridge. */
const ACCEPTED = "frames between its ports accepted by iptables\n";

test("on a fresh host the file is written and the bridge created from it", () => {
  const { changes } = plan(router(), FRESH);
  assert.equal(subjects(changes), [STANZA, "bridge weave"]);
  const [file, bridge] = inWords(changes);
  assert.equal(file?.steps, [`write ${STANZA} 0644`]);
  assert.is(file?.before, "");
  assert.equal(bridge, {
    subject: "bridge weave",
    before: "absent\n",
    after: `address 10.2.0.1/16\nmac ${MAC}\nmtu 1438\ndatapath router\n${ACCEPTED}`,
    steps: ["ifup --force weave"],
  });
});

test("the file of a bridge for the Weave router is the one next to this test", () => {
  matchesGolden(plan(router(), FRESH).changes[0]?.after ?? "", golden("router.cfg"));
});

test("the file of a bridge with VXLAN is the one next to this test", () => {
  matchesGolden(plan(vxlan(), FRESH).changes[0]?.after ?? "", golden("vxlan.cfg"));
});

test("on a fresh host the VXLAN is created with the bridge, from the same file", () => {
  const { changes } = plan(vxlan(), FRESH);
  assert.equal(inWords(changes).at(-1), {
    subject: "bridge weave",
    before: "absent\n",
    after:
      `address 10.2.0.1/16\nmac ${MAC}\nmtu 1450\n` +
      `datapath vxlan id 6783 dstport 4789 local 192.168.50.11\npeer 192.168.50.12\npeer 192.168.50.13\n${ACCEPTED}`,
    steps: ["ifup --force weave"],
  });
});

test("if ifupdown does not read the bridge's file yet, Apollo's line is added, and the file's mode stays", () => {
  const observed = { ...FRESH, interfaces: { content: "auto lo\niface lo inet loopback", mode: 0o600 } };
  const { changes } = plan(router(), observed);
  assert.equal(subjects(changes), [STANZA, "/etc/network/interfaces", "bridge weave"]);
  assert.equal(inWords(changes)[1], {
    subject: "/etc/network/interfaces",
    before: "auto lo\niface lo inet loopback",
    after:
      "# Added by Ansible's weave_bridge, which removes both lines with the bridge.\n" +
      "source /etc/network/interfaces.d/*.cfg\nauto lo\niface lo inet loopback",
    steps: ["write /etc/network/interfaces 0600"],
  });
});

test("without ifupdown it fails with what to install", () => {
  assert.match(
    userErrorOf(() =>
      plan(router({ provider: "ifupdown" }), { ...FRESH, managers: { ...FRESH.managers, ifupdown: false } }),
    ),
    /^provider: ifupdown must be installed .*apt install ifupdown/,
  );
});

test("an interface with the bridge's name that is not a bridge is rejected", () => {
  const observed = { ...steadyRouter(), bridge: { ...steadyVxlan().bridge, isBridge: false } };
  assert.is(
    userErrorOf(() => plan(router(), observed)),
    "name: must be a bridge, or not exist yet (found another kind of device, weave). Delete it (ip link del weave), or set " +
      "another name.",
  );
});

test("on a host in the desired state nothing is planned, with either datapath", () => {
  assert.equal(plan(router(), steadyRouter()).changes, []);
  assert.equal(plan(vxlan(), steadyVxlan()).changes, []);
});

test("the returned values are those that hold after the changes", () => {
  const returns = {
    name: "weave",
    address: "10.2.0.1/16",
    network: "10.2.0.0/16",
    docker_subnet: "10.2.1.0/24",
    mac: MAC,
    provider: "ifupdown",
    wireguard: false,
  };
  assert.equal(plan(router(), FRESH).returns, { ...returns, datapath: "router", mtu: 1438 });
  const joined = { ...returns, datapath: "vxlan", mtu: 1450 };
  assert.equal(plan(vxlan(), FRESH).returns, joined);
  assert.equal(plan(vxlan(), steadyVxlan()).returns, joined);
});

test("no change is a disruption, except for recreating a VXLAN device", () => {
  const drifted = {
    ...steadyVxlan(),
    bridge: { ...steadyVxlan().bridge, mac: "02:00:00:00:00:01", mtu: 9000, up: false },
  };
  for (const { changes } of [plan(router(), FRESH), plan(vxlan(), FRESH), plan(vxlan(), drifted)]) {
    assert.ok(changes.length > 0);
    for (const change of changes) assert.is(change.disruption, undefined);
  }
});

test("what a change takes from containers on the bridge is said", () => {
  const steady = steadyVxlan();
  const bridge = { ...steady.bridge, ports: ["weave-vx", "veth0123abc", "veth4567def"] };
  const disruptions = (more: Record<string, unknown>, observed: ObservedBridge = { ...steady, bridge }): string[] =>
    plan(vxlan(more), observed).changes.flatMap(({ disruption = [] }) => disruption);
  assert.equal(disruptions({}), []);
  assert.equal(disruptions({ peers: [], mac: "02:00:00:00:00:01" }), []);
  assert.equal(disruptions({ host_index: 2 }), [
    "traffic to other networks of 2 containers with the gateway 10.2.0.1, until Docker recreates their network; and connections to and from this host's address 10.2.0.1",
  ]);
  const [moved] = disruptions({ network: "10.9.0.0/16" }, withStanza({ ...steady, bridge }, "address 10.2.0.1/16\n"));
  assert.match(
    moved ?? "",
    /^all traffic with other hosts' containers and to other networks of 2 containers with the gateway 10\.2\.0\.1/,
  );
  assert.equal(disruptions({ mtu: 1400 }), [
    "packets of more than 1400 bytes of 2 containers, until Docker recreates their network",
  ]);
  assert.equal(disruptions({ firewall: "off" }), [
    "traffic between containers and with other hosts, unless another rule of iptables accepts it",
  ]);
  assert.equal(disruptions({ host_index: 2, mtu: 1400 }, steady), [
    "connections to and from this host's address 10.2.0.1",
  ]);
});

test("a file that was changed by hand is written again, without a change of the live bridge", () => {
  assert.equal(subjects(plan(router(), withStanza(steadyRouter(), "auto weave\n")).changes), [STANZA]);
});

test("the file's mode is corrected by itself", () => {
  const content = steadyRouter().files.get(STANZA)?.content ?? "";
  const { changes } = plan(router(), withStanza(steadyRouter(), content, 0o755));
  assert.equal(inWords(changes), [
    { subject: `${STANZA}: mode`, before: "0755\n", after: "0644\n", steps: [`chmod ${STANZA} 0644`] },
  ]);
});

test("a bridge with another name has its own file and devices", () => {
  const { changes } = plan(vxlan({ name: "br-cont" }), FRESH);
  assert.equal(subjects(changes), ["/etc/network/interfaces.d/br-cont.cfg", "bridge br-cont"]);
  const [stanza] = changes;
  assert.match(stanza?.after ?? "", "auto br-cont\niface br-cont inet manual\n");
  assert.match(stanza?.after ?? "", "ip link add name br-cont-vx type vxlan");
  assert.not.match(stanza?.after ?? "", "dev weave");
});

test("a VXLAN device whose bridge was deleted by hand is removed before the router's bridge is created", () => {
  const { changes } = plan(router(), { ...steadyVxlan(), bridge: null, forwardRuleCount: 1 });
  assert.equal(inWords(changes).at(-1)?.steps, ["ip link del dev weave-vx", "ifup --force weave"]);
});

test.run();
