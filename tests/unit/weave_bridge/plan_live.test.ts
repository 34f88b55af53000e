import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ObservedBridge } from "../../../modules/weave_bridge/observed";
import type { BridgeOptions } from "../../../modules/weave_bridge/options";
import { plan } from "../../../modules/weave_bridge/plan";
import { inWords, subjects } from "../support/changes";
import { MAC, router, STANZA, steadyRouter, steadyVxlan, vxlan, withAddresses } from "./fixtures";

/** The change that turns a kernel setting of the bridge on. */
const setting = (name: string) => ({
  subject: `bridge weave: ${name}`,
  before: "0\n",
  after: "1\n",
  steps: [`set /proc/sys/net/ipv4/conf/weave/${name} 1`],
});
const PROMOTE = setting("promote_secondaries");

/** The changes other than that of the bridge's file. */
function live(options: BridgeOptions, observed: ObservedBridge) {
  return inWords(plan(options, observed).changes.filter(({ subject }) => subject !== STANZA));
}

test("no plan ever takes an existing bridge down or deletes it", () => {
  const observed = [
    steadyRouter(),
    steadyVxlan(),
    withAddresses(steadyVxlan()),
    { ...steadyVxlan(), vxlan: null },
    { ...steadyVxlan(), bridge: { ...steadyVxlan().bridge, up: false, mtu: 1, mac: "" } },
  ];
  for (const options of [router(), vxlan(), vxlan({ host_index: 9, mtu: 1300, mac: "02:00:00:00:00:09" })]) {
    for (const host of observed) {
      for (const { steps } of live(options, host)) {
        for (const step of steps) assert.not.match(step, /ifdown|ifup|link del dev weave$|link set dev weave down/);
      }
    }
  }
});

test("another MAC is set on the live bridge", () => {
  const bridge = { ...steadyVxlan().bridge, mac: "02:00:00:00:00:01" };
  const change = {
    subject: "bridge weave: mac",
    before: "02:00:00:00:00:01\n",
    after: `${MAC}\n`,
    steps: [`ip link set dev weave address ${MAC}`],
  };
  assert.equal(inWords(plan(vxlan(), { ...steadyVxlan(), bridge }).changes), [setting("arp_notify"), change]);
  const notifies = { ...bridge, settings: ["arp_notify" as const] };
  assert.equal(inWords(plan(vxlan(), { ...steadyVxlan(), bridge: notifies }).changes), [change]);
});

test("another MTU is set on the live bridge", () => {
  const bridge = { ...steadyVxlan().bridge, mtu: 1500 };
  assert.equal(inWords(plan(vxlan(), { ...steadyVxlan(), bridge }).changes), [
    { subject: "bridge weave: mtu", before: "1500\n", after: "1450\n", steps: ["ip link set dev weave mtu 1450"] },
  ]);
});

test("a bridge that is down is set up", () => {
  const bridge = { ...steadyVxlan().bridge, up: false };
  assert.equal(inWords(plan(vxlan(), { ...steadyVxlan(), bridge }).changes), [
    { subject: "bridge weave: state", before: "down\n", after: "up\n", steps: ["ip link set dev weave up"] },
  ]);
});

test("a missing address is added", () => {
  assert.equal(inWords(plan(router(), withAddresses(steadyRouter())).changes), [
    {
      subject: "bridge weave: address",
      before: "\n",
      after: "10.2.0.1/16\n",
      steps: ["ip addr replace 10.2.0.1/16 dev weave"],
    },
  ]);
});

test("another address of the network is removed after the desired one is added", () => {
  const observed = withAddresses(steadyRouter(), "10.2.0.9/16", "10.2.0.1/24");
  assert.equal(inWords(plan(router(), observed).changes), [
    PROMOTE,
    {
      subject: "bridge weave: address",
      before: "10.2.0.9/16\n10.2.0.1/24\n",
      after: "10.2.0.1/16\n",
      steps: [
        "ip addr replace 10.2.0.1/16 dev weave",
        "ip addr del 10.2.0.9/16 dev weave",
        "ip addr del 10.2.0.1/24 dev weave",
      ],
    },
  ]);
});

test("an address besides the desired one is removed", () => {
  const { changes } = plan(router(), withAddresses(steadyRouter(), "10.2.0.9/16", "10.2.0.1/16"));
  assert.equal(inWords(changes)[1]?.steps, [
    "ip addr replace 10.2.0.1/16 dev weave",
    "ip addr del 10.2.0.9/16 dev weave",
  ]);
});

test("an address of another network stays, such as the one that weave expose adds", () => {
  assert.equal(plan(router(), withAddresses(steadyRouter(), "10.2.0.1/16", "10.32.0.1/12")).changes, []);
});

test("the address in the bridge's previous network is removed", () => {
  const observed = withAddresses(steadyRouter(), "10.2.0.1/16", "10.32.0.1/12");
  assert.equal(live(router({ network: "10.4.0.0/16" }), observed), [
    PROMOTE,
    {
      subject: "bridge weave: address",
      before: "10.2.0.1/16\n",
      after: "10.4.0.1/16\n",
      steps: ["ip addr replace 10.4.0.1/16 dev weave", "ip addr del 10.2.0.1/16 dev weave"],
    },
  ]);
});

test("a new peer is added live and an old one removed, and the file is changed", () => {
  const options = vxlan({ peers: ["192.168.50.13", "192.168.50.14", "192.168.50.2"] });
  assert.equal(subjects(plan(options, steadyVxlan()).changes), [STANZA, "bridge weave: peers"]);
  assert.equal(live(options, steadyVxlan()), [
    {
      subject: "bridge weave: peers",
      before: "192.168.50.12\n192.168.50.13\n",
      after: "192.168.50.2\n192.168.50.13\n192.168.50.14\n",
      steps: [
        "bridge fdb append 00:00:00:00:00:00 dev weave-vx dst 192.168.50.2",
        "bridge fdb append 00:00:00:00:00:00 dev weave-vx dst 192.168.50.14",
        "bridge fdb del 00:00:00:00:00:00 dev weave-vx dst 192.168.50.12",
      ],
    },
  ]);
});

test("a peer that the kernel has lost is one change, and the file stays", () => {
  const observed = { ...steadyVxlan(), vxlan: { ...steadyVxlan().vxlan, peers: ["192.168.50.13"] } };
  assert.equal(inWords(plan(vxlan(), observed).changes), [
    {
      subject: "bridge weave: peers",
      before: "192.168.50.13\n",
      after: "192.168.50.12\n192.168.50.13\n",
      steps: ["bridge fdb append 00:00:00:00:00:00 dev weave-vx dst 192.168.50.12"],
    },
  ]);
});

test("the kernel's order of the peers does not matter", () => {
  const observed = { ...steadyVxlan(), vxlan: { ...steadyVxlan().vxlan, peers: ["192.168.50.13", "192.168.50.12"] } };
  assert.equal(plan(vxlan(), observed).changes, []);
});

test("the VXLAN device's MTU, bridge and state are each corrected by themselves", () => {
  const drifts = [
    {
      drift: { mtu: 1500 },
      change: {
        subject: "weave-vx: mtu",
        before: "1500\n",
        after: "1450\n",
        steps: ["ip link set dev weave-vx mtu 1450"],
      },
    },
    {
      drift: { master: null },
      change: {
        subject: "weave-vx: bridge",
        before: "none\n",
        after: "weave\n",
        steps: ["ip link set dev weave-vx master weave"],
      },
    },
    {
      drift: { up: false },
      change: { subject: "weave-vx: state", before: "down\n", after: "up\n", steps: ["ip link set dev weave-vx up"] },
    },
  ];
  for (const { drift, change } of drifts) {
    const observed = { ...steadyVxlan(), vxlan: { ...steadyVxlan().vxlan, ...drift } };
    assert.equal(inWords(plan(vxlan(), observed).changes), [change]);
  }
});

const CREATE = [
  "ip link add name weave-vx type vxlan id 6783 dstport 4789 local 192.168.50.11",
  "ip link set dev weave-vx mtu 1450",
  "ip link set dev weave-vx master weave",
  "ip link set dev weave-vx up",
  "bridge fdb append 00:00:00:00:00:00 dev weave-vx dst 192.168.50.12",
  "bridge fdb append 00:00:00:00:00:00 dev weave-vx dst 192.168.50.13",
];

test("a missing VXLAN device is added to the live bridge", () => {
  const { changes } = plan(vxlan(), { ...steadyVxlan(), vxlan: null });
  assert.equal(inWords(changes), [
    {
      subject: "bridge weave: datapath",
      before: "router\n",
      after: "vxlan id 6783 dstport 4789 local 192.168.50.11\npeer 192.168.50.12\npeer 192.168.50.13\n",
      steps: CREATE,
    },
  ]);
  assert.is(changes[0]?.disruption, undefined);
});

const PARAMETERS = { id: 6783, port: 4789, local: "192.168.50.11", flags: [], ipv6: false };

test("a VXLAN device with other parameters is recreated, which is reported as a disruption", () => {
  const others = [
    { ...PARAMETERS, id: 1 },
    { ...PARAMETERS, port: 8472 },
    { ...PARAMETERS, local: "192.168.50.99" },
    { ...PARAMETERS, flags: ["gbp"] },
    null,
  ];
  for (const parameters of others) {
    const observed = { ...steadyVxlan(), vxlan: { ...steadyVxlan().vxlan, parameters } };
    const { changes } = plan(vxlan(), observed);
    assert.equal(subjects(changes), ["bridge weave: datapath"]);
    assert.equal(inWords(changes)[0]?.steps, ["ip link del dev weave-vx", ...CREATE]);
    const own = parameters?.id === PARAMETERS.id && parameters.port === PARAMETERS.port;
    const until = "traffic with each other host, until it has the same I(vxlan_id) and I(vxlan_port)";
    const meanwhile = "traffic between hosts, while the VXLAN device is recreated";
    assert.is(changes[0]?.disruption, own || parameters === null ? meanwhile : until);
  }
});

test("from VXLAN to the Weave router, the VXLAN device is removed and the bridge stays", () => {
  const options = router({ mtu: 1450 });
  assert.equal(live(options, steadyVxlan()), [
    {
      subject: "bridge weave: datapath",
      before: "vxlan id 6783 dstport 4789 local 192.168.50.11\npeer 192.168.50.12\npeer 192.168.50.13\n",
      after: "router\n",
      steps: ["ip link del dev weave-vx"],
    },
  ]);
});

test.run();
