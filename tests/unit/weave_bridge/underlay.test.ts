import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolveDesired } from "../../../modules/weave_bridge/desired";
import type { ObservedBridge } from "../../../modules/weave_bridge/observed";
import type { BridgeOptions } from "../../../modules/weave_bridge/options";
import { userErrorOf } from "../support/user_error";
import { FRESH, resolving, router, vxlan } from "./fixtures";

const errorOf = (options: BridgeOptions, observed: ObservedBridge): string =>
  userErrorOf(() => resolveDesired(options, observed));

test("the underlay may be named by its device or its address", () => {
  const observed = {
    ...FRESH,
    links: [...FRESH.links, { device: "eth1", addresses: ["172.20.0.4/24"], vxlan: null }],
    mtus: new Map([...FRESH.mtus, ["eth1", 9000]]),
  };
  for (const underlay of ["eth1", "172.20.0.4"]) {
    const desired = resolveDesired(vxlan({ underlay }), observed);
    assert.equal([desired.vxlan?.local, desired.mtu], ["172.20.0.4", 8950]);
  }
});

test("an underlay that the host does not have is rejected with a list of those that it has", () => {
  for (const underlay of ["eth7", "192.168.50.99"]) {
    assert.match(
      errorOf(vxlan({ underlay }), FRESH),
      `underlay: must be a device with an IPv4 address on this host, or such an address (found "${underlay}"; this host has eth0 192.168.50.11/24). Set`,
    );
  }
  assert.match(errorOf(vxlan({ underlay: "eth0" }), { ...FRESH, links: [] }), "this host has none).");
});

test("without an underlay and a default route a VXLAN fails, but not the router", () => {
  const isolated = { ...FRESH, routes: [] };
  assert.match(errorOf(vxlan(), isolated), /^underlay: must be set on a host without a default route/);
  assert.is(resolveDesired(router(), isolated).vxlan, null);
});

test("an underlay may be a name of one of this host's addresses", () => {
  const links = [...FRESH.links, { device: "eth1", addresses: ["172.20.0.4/24"], vxlan: null }];
  const observed = resolving({ host1: ["127.0.1.1", "172.20.0.4"] }, { ...FRESH, links });
  assert.is(resolveDesired(vxlan({ underlay: "host1" }), observed).vxlan?.local, "172.20.0.4");
});

test("a name that resolves to the loopback means the device of the default route, and fails without one", () => {
  const observed = resolving({ host1: "127.0.1.1" });
  assert.equal(resolveDesired(vxlan({ underlay: "host1" }), observed), resolveDesired(vxlan(), FRESH));
  assert.match(
    errorOf(vxlan({ underlay: "host1" }), { ...observed, routes: [] }),
    /^underlay: must be a device .* \(found "host1" at 127\.0\.1\.1; this host has eth0 /,
  );
});

test("a name that resolves to another host is rejected with its address, whatever else it resolves to", () => {
  for (const found of [["192.168.50.12"], ["127.0.1.1", "192.168.50.12"]]) {
    assert.match(
      errorOf(vxlan({ underlay: "host2" }), resolving({ host2: found })),
      `(found "host2" at ${found.join(", ")}; this host has eth0 192.168.50.11/24). Set`,
    );
  }
});

test.run();
