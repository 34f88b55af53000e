import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolveDesired } from "../../../modules/weave_bridge/desired";
import type { ObservedBridge } from "../../../modules/weave_bridge/observe";
import type { BridgeOptions } from "../../../modules/weave_bridge/options";
import { refusalOf } from "../support/refusal";
import { FRESH, lookingUp, router, vxlan } from "./hosts";

const refused = (options: BridgeOptions, observed: ObservedBridge): string =>
  refusalOf(() => resolveDesired(options, observed));

test("the underlay may be named by its device or its address", () => {
  const observed = {
    ...FRESH,
    links: [...FRESH.links, { device: "eth1", addresses: ["172.20.0.4/24"], vxlan: null }],
    mtus: new Map([...FRESH.mtus, ["eth1", 9000]]),
  };
  for (const underlay of ["eth1", "172.20.0.4"]) {
    const wanted = resolveDesired(vxlan({ underlay }), observed);
    assert.equal([wanted.vxlan?.local, wanted.mtu], ["172.20.0.4", 8950]);
  }
});

test("an underlay that the host does not have is refused with those that it has", () => {
  for (const underlay of ["eth7", "192.168.50.99"]) {
    assert.match(
      refused(vxlan({ underlay }), FRESH),
      `underlay: "${underlay}" is no IPv4 address of this host and no device with one; it has eth0 192.168.50.11/24. Give`,
    );
  }
  assert.match(refused(vxlan({ underlay: "eth0" }), { ...FRESH, links: [] }), "it has none.");
});

test("without an underlay and a default route it is refused, with the router it does not matter", () => {
  const isolated = { ...FRESH, routes: [] };
  assert.match(refused(vxlan(), isolated), /^underlay: not given, and this host has no default route/);
  assert.is(resolveDesired(router(), isolated).vxlan, null);
});

test("an underlay may be a name of one of this host's addresses", () => {
  const links = [...FRESH.links, { device: "eth1", addresses: ["172.20.0.4/24"], vxlan: null }];
  const observed = lookingUp({ host1: ["127.0.1.1", "172.20.0.4"] }, { ...FRESH, links });
  assert.is(resolveDesired(vxlan({ underlay: "host1" }), observed).vxlan?.local, "172.20.0.4");
});

test("one that resolves to the loopback is the default route's, and refused without such a route", () => {
  const observed = lookingUp({ host1: "127.0.1.1" });
  assert.equal(resolveDesired(vxlan({ underlay: "host1" }), observed), resolveDesired(vxlan(), FRESH));
  assert.match(
    refused(vxlan({ underlay: "host1" }), { ...observed, routes: [] }),
    /^underlay: "host1" \(127\.0\.1\.1\) is no IPv4 address of this host and no device with one; it has eth0 /,
  );
});

test("one that resolves to another host is refused with its address, whatever else it resolves to", () => {
  for (const found of [["192.168.50.12"], ["127.0.1.1", "192.168.50.12"]]) {
    assert.match(
      refused(vxlan({ underlay: "host2" }), lookingUp({ host2: found })),
      `underlay: "host2" (${found.join(", ")}) is no IPv4 address of this host and no device with one; it has eth0 192.168.50.11/24. Give`,
    );
  }
});

test.run();
