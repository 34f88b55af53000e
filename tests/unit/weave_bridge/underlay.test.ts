import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolveDesired } from "../../../modules/weave_bridge/desired";
import type { ObservedBridge } from "../../../modules/weave_bridge/observed";
import type { BridgeOptions } from "../../../modules/weave_bridge/options";
import { userErrorOf } from "../support/user_error";
import { FRESH, golden, ipLink, resolving, route, router, steadyRouter, vxlan, withStanza } from "./fixtures";

const BRIDGE = { mac: "7a:00:00:00:00:01", mtu: 1438, up: true, master: null, isBridge: true, ports: [], settings: [] };

const errorOf = (options: BridgeOptions, observed: ObservedBridge): string =>
  userErrorOf(() => resolveDesired(options, observed));

test("the underlay may be named by its device or its address", () => {
  const observed = {
    ...FRESH,
    links: [...FRESH.links, ipLink("eth1", ["172.20.0.4/24"])],
    mtus: new Map([...FRESH.mtus, ["eth1", 9000]]),
  };
  for (const underlay of ["eth1", "172.20.0.4"]) {
    const desired = resolveDesired(vxlan({ underlay }), observed);
    assert.equal([desired.vxlan?.local, desired.mtu], ["172.20.0.4", 8950]);
  }
});

test("with the router the MTU is what its sleeve carries over the underlay: less if it encrypts", () => {
  const mtu = (more: object, eth0 = 1500): number =>
    resolveDesired(router(more as Record<string, unknown>), {
      ...FRESH,
      mtus: new Map([...FRESH.mtus, ["eth0", eth0]]),
    }).mtu;
  // As Weave Net 2.8 reports them over 1500.
  assert.equal([mtu({}), mtu({ router_encrypts: true })], [1438, 1414]);
  assert.equal([mtu({ underlay: "192.168.50.11" }, 9000), mtu({ router_encrypts: true }, 9000)], [8938, 8914]);
  assert.is(mtu({ underlay: "nowhere" }, 9000), 1438, "an underlay that is not found");
  assert.is(mtu({ mtu: 1500, router_encrypts: true }), 1500);
});

test("with the router a bridge of another's with ports keeps the underlay's MTU, also when its file is this module's", () => {
  const taken = { ...steadyRouter(), bridge: { ...BRIDGE, mtu: 1500, ports: ["vethwe-bridge"] } };
  const mtu = (observed: ObservedBridge, more: Record<string, unknown> = {}): number =>
    resolveDesired(router(more), observed).mtu;
  const apollos = withStanza(taken, "auto weave\niface weave inet manual\n");
  assert.equal(
    [mtu(apollos), mtu(apollos, { router_encrypts: true }), mtu(apollos, { mtu: 1438 })],
    [1500, 1500, 1438],
  );
  const provisioned = withStanza(taken, readFileSync(golden("router.cfg"), "latin1").replace("mtu 1438", "mtu 1500"));
  assert.is(mtu({ ...provisioned, bridge: null }), 1500);
  // Drift, and what an interrupted run leaves of a bridge that it was creating.
  assert.is(mtu(taken), 1438);
  assert.is(mtu({ ...FRESH, bridge: { ...BRIDGE, mtu: 1500 } }), 1438);
  assert.is(mtu(withStanza({ ...taken, bridge: { ...taken.bridge, mtu: 65535 } }, "auto weave\n")), 1438);
});

test("an underlay that the host does not have is rejected with a list of those that it has", () => {
  for (const underlay of ["eth7", "192.168.50.99"]) {
    assert.match(
      errorOf(vxlan({ underlay }), FRESH),
      `underlay: must be a device with an IPv4 address on this host, or such an address (found "${underlay}", which is none of this host's: eth0 192.168.50.11/24). Set`,
    );
  }
  assert.match(
    errorOf(vxlan({ underlay: "eth0" }), { ...FRESH, links: [] }),
    "which is none of this host's: it has none).",
  );
});

test("without an underlay and a default route a VXLAN fails, but not the router", () => {
  const isolated = { ...FRESH, routes: [] };
  assert.match(errorOf(vxlan(), isolated), /^underlay: must be set on a host without a default route/);
  assert.is(resolveDesired(router(), isolated).vxlan, null);
});

test("an underlay may be a name of one of this host's addresses", () => {
  const links = [...FRESH.links, ipLink("eth1", ["172.20.0.4/24"])];
  const observed = resolving({ host1: ["127.0.1.1", "172.20.0.4"] }, { ...FRESH, links });
  assert.is(resolveDesired(vxlan({ underlay: "host1" }), observed).vxlan?.local, "172.20.0.4");
});

test("a name that resolves to the loopback means the device of the default route, and fails without one", () => {
  const observed = resolving({ host1: "127.0.1.1" });
  assert.equal(resolveDesired(vxlan({ underlay: "host1" }), observed), resolveDesired(vxlan(), FRESH));
  assert.match(
    errorOf(vxlan({ underlay: "host1" }), { ...observed, routes: [] }),
    /^underlay: must be a device .* \(found "host1" at 127\.0\.1\.1, which is none of this host's: eth0 /,
  );
});

test("a name that resolves to another host is rejected with its address, whatever else it resolves to", () => {
  for (const found of [["192.168.50.12"], ["127.0.1.1", "192.168.50.12"]]) {
    assert.match(
      errorOf(vxlan({ underlay: "host2" }), resolving({ host2: found })),
      `(found "host2" at ${found.join(", ")}, which is none of this host's: eth0 192.168.50.11/24). Set`,
    );
  }
});

/** Host 1 with a second address on eth0, which is there first. */
const shared = (cidr: string, routes = FRESH.routes): ObservedBridge => ({
  ...FRESH,
  links: [ipLink("lo", ["127.0.0.1/8"]), ipLink("eth0", [cidr, "192.168.50.11/24"])],
  routes,
});

test("of a device's addresses the one that reaches the peers is used, not the one that moves from host to host", () => {
  for (const underlay of [null, "eth0"]) {
    for (const cidr of ["192.168.50.200/32", "172.20.0.4/24", "192.168.50.200/24"]) {
      assert.is(resolveDesired(vxlan({ underlay }), shared(cidr)).vxlan?.local, "192.168.50.11", cidr);
    }
  }
  assert.is(
    resolveDesired(vxlan({ underlay: "192.168.50.200" }), shared("192.168.50.200/32")).vxlan?.local,
    "192.168.50.200",
  );
});

test("peers behind a gateway are reached from the address in its network, or the one that the route sets", () => {
  const peers = ["198.51.100.12"];
  assert.is(resolveDesired(vxlan({ peers }), shared("172.20.0.4/24")).vxlan?.local, "192.168.50.11");
  const set = [route("0.0.0.0/0", "eth0", { via: "192.168.50.1", source: "172.20.0.4" })];
  assert.is(resolveDesired(vxlan({ peers }), shared("172.20.0.4/24", set)).vxlan?.local, "172.20.0.4");
  const specific = [...FRESH.routes, route("198.51.100.0/24", "eth0", { via: "172.20.0.1" })];
  assert.is(resolveDesired(vxlan({ peers }), shared("172.20.0.4/24", specific)).vxlan?.local, "172.20.0.4");
  assert.is(resolveDesired(vxlan({ peers: [] }), shared("172.20.0.4/24")).vxlan?.local, "192.168.50.11");
});

// As a VXLAN between two namespaces with such addresses and routes carried it, Linux 6.18.
const ROUTED: ObservedBridge = {
  ...FRESH,
  links: [ipLink("lo", ["127.0.0.1/8", "10.0.0.11/32"]), ipLink("eth0"), ipLink("eth1")],
  routes: [route("0.0.0.0/0", "eth0"), route("10.0.0.12/32", "eth1")],
  mtus: new Map([
    ["lo", 65536],
    ["eth0", 9000],
    ["eth1", 1500],
  ]),
};

test("where a host takes part in routing, its address may be on lo or a dummy device, and packets leave by another", () => {
  const resolved = (more: Record<string, unknown>, observed = ROUTED): unknown[] => {
    const { vxlan: tunnel, mtu } = resolveDesired(vxlan({ peers: ["10.0.0.12"], ...more }), observed);
    return [tunnel?.local, mtu];
  };
  for (const underlay of ["10.0.0.11", "lo", null, "eth0", "eth1", "host1"])
    assert.equal(resolved({ underlay }, resolving({ host1: "10.0.0.11" }, ROUTED)), ["10.0.0.11", 1450], `${underlay}`);
  assert.equal(resolved({ underlay: "10.0.0.11", peers: ["10.0.0.13"] }), ["10.0.0.11", 8950]);
  const dummy = { ...ROUTED, links: [ipLink("dummy0", ["10.0.0.11/32"]), ipLink("eth0"), ipLink("eth1")] };
  assert.equal(resolved({ underlay: "dummy0" }, dummy), ["10.0.0.11", 1450]);
  assert.equal(resolved({ underlay: "10.0.0.11" }, { ...dummy, routes: [] }), ["10.0.0.11", 1450], "no route yet");
  const set = { ...dummy, routes: [route("0.0.0.0/0", "eth0", { source: "10.0.0.11" })] };
  assert.equal(resolved({}, set), ["10.0.0.11", 8950]);
  assert.is(resolveDesired(router({ underlay: "10.0.0.11" }), ROUTED).mtu, 8938);
  for (const underlay of ["127.0.0.1", "eth2"])
    assert.match(errorOf(vxlan({ underlay }), ROUTED), "which is none of this host's: lo 10.0.0.11/32).");
});

test("without a route to the peers a device's first address of a network is used", () => {
  assert.is(resolveDesired(vxlan({ underlay: "eth0" }), shared("192.168.50.200/32", [])).vxlan?.local, "192.168.50.11");
  const alone = { ...FRESH, links: [ipLink("eth0", ["192.168.50.200/32"])] };
  assert.is(resolveDesired(vxlan(), alone).vxlan?.local, "192.168.50.200");
});

test.run();
