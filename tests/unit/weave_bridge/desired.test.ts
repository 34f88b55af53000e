import { test } from "uvu";
import * as assert from "uvu/assert";
import type { IpLink } from "../../../modules/formats/iproute";
import { resolveDesired } from "../../../modules/weave_bridge/desired";
import type { ObservedBridge } from "../../../modules/weave_bridge/observed";
import type { BridgeOptions } from "../../../modules/weave_bridge/options";
import { userErrorOf } from "../support/user_error";
import { FRESH, ipLink, MAC, route, router, steadyRouter, steadyVxlan, vxlan } from "./fixtures";

const errorOf = (options: BridgeOptions, observed: ObservedBridge): string =>
  userErrorOf(() => resolveDesired(options, observed));

test("with the Weave router: the addresses of the host's index, a MAC of its machine-id, the MTU of the router's paths", () => {
  assert.equal(resolveDesired(router(), FRESH), {
    name: "weave",
    address: "10.2.0.1/16",
    network: "10.2.0.0/16",
    dockerSubnet: "10.2.1.0/24",
    mac: MAC,
    mtu: 1438,
    vxlan: null,
    wireguard: null,
    provider: "ifupdown",
    firewall: "check",
    hasForwardRule: true,
    firewallPlan: { changes: [], warnings: [], boot: [] },
  });
});

test("with VXLAN: the default route's device and its MTU less 50, the peers in order and without the host itself", () => {
  const desired = resolveDesired(vxlan(), FRESH);
  assert.is(desired.mtu, 1450);
  assert.equal(desired.vxlan, {
    name: "weave-vx",
    id: 6783,
    port: 4789,
    local: "192.168.50.11",
    peers: ["192.168.50.12", "192.168.50.13"],
  });
});

test("given addresses need no index, and with one of them the other comes from the index", () => {
  const own = { host_index: null, address: "172.30.0.9/20", docker_subnet: "172.30.4.0/23" };
  const desired = resolveDesired(router(own), FRESH);
  assert.equal(
    [desired.address, desired.network, desired.dockerSubnet],
    ["172.30.0.9/20", "172.30.0.0/20", "172.30.4.0/23"],
  );
  assert.is(resolveDesired(router({ host_index: 7, address: "10.2.0.200/16" }), FRESH).dockerSubnet, "10.2.7.0/24");
  assert.is(resolveDesired(router({ host_index: 7, docker_subnet: "10.2.99.0/24" }), FRESH).address, "10.2.0.7/16");
});

test("the index numbers hosts within network and docker_prefix", () => {
  const desired = resolveDesired(router({ network: "10.32.0.0/12", docker_prefix: 22, host_index: 3 }), FRESH);
  assert.equal([desired.address, desired.dockerSubnet], ["10.32.0.3/12", "10.32.12.0/22"]);
});

test("without index or addresses it fails", () => {
  for (const more of [{}, { address: "10.2.0.1/16" }, { docker_subnet: "10.2.1.0/24" }]) {
    assert.match(
      errorOf(router({ host_index: null, ...more }), FRESH),
      /^host_index: must be set unless both address and docker_subnet are \(found none\)\. Set this host's index .*\.$/,
    );
  }
});

test("an index that does not fit is rejected with a larger network", () => {
  assert.match(
    errorOf(router({ host_index: 255 }), FRESH),
    /^host_index: must be at most 254 in .*\(found 255\)\. Set a larger network, such as 10\.2\.0\.0\/15\.$/,
  );
});

test("a subnet outside the bridge's network is rejected", () => {
  assert.match(
    errorOf(router({ docker_subnet: "10.3.1.0/24" }), FRESH),
    /^docker_subnet: must be in the bridge's network 10\.2\.0\.0\/16 \(found 10\.3\.1\.0\/24\)\. Set a subnet of that network\.$/,
  );
});

test("a network that overlaps one of the host's own is rejected, whichever contains the other", () => {
  assert.is(
    errorOf(router({ network: "192.168.0.0/16" }), FRESH),
    "network: 192.168.0.0/16 must not overlap the networks of this host (found 192.168.50.11/24 on eth0). Set a network that the hosts do not use.",
  );
  const wide = { ...FRESH, links: [ipLink("eth0", ["10.0.0.5/8"])] };
  assert.match(errorOf(router(), wide), "(found 10.0.0.5/8 on eth0)");
});

test("a network that overlaps a route on another device is rejected, except for the default route and its halves", () => {
  const routed = (network: string, device = "eth0") => ({
    ...FRESH,
    routes: [...FRESH.routes, route(network, device)],
  });
  for (const network of ["10.0.0.0/8", "10.2.128.0/17", "10.2.0.1/32"]) {
    assert.is(
      errorOf(router(), routed(network)),
      `network: 10.2.0.0/16 must not overlap the networks of this host (found the route to ${network} on eth0). Set a network that the hosts do not use.`,
    );
  }
  for (const [network, device] of [
    ["0.0.0.0/1", "tun0"],
    ["128.0.0.0/1", "tun0"],
    ["10.3.0.0/16", "eth0"],
    ["10.2.0.0/16", "weave"],
  ] as const) {
    assert.is(resolveDesired(router(), routed(network, device)).network, "10.2.0.0/16");
  }
});

test("an address that another host uses is rejected with that host's MAC address", () => {
  assert.is(
    errorOf(router(), { ...FRESH, macAtAddress: "0e:00:00:00:00:02" }),
    "address: must not be in use by another host (found 10.2.0.1 at the MAC address 0e:00:00:00:00:02). Give each host its own host_index or address.",
  );
});

test("the firewall rule is added unless firewall is off or iptables is not installed", () => {
  assert.is(resolveDesired(router(), FRESH).hasForwardRule, true);
  assert.is(resolveDesired(router({ firewall: "off" }), FRESH).hasForwardRule, false);
  assert.is(resolveDesired(router(), { ...FRESH, forwardRuleCount: null }).hasForwardRule, false);
});

test("the bridge's own address does not count as an overlap with its network", () => {
  assert.is(resolveDesired(router(), steadyRouter()).address, "10.2.0.1/16");
});

test("a given MAC and MTU are used", () => {
  const desired = resolveDesired(vxlan({ mac: "0E:5F:33:00:00:01", mtu: 1400 }), FRESH);
  assert.equal([desired.mac, desired.mtu], ["0e:5f:33:00:00:01", 1400]);
});

test("bridges of one host, and hosts, have different MACs", () => {
  assert.is.not(resolveDesired(router({ name: "weave2" }), FRESH).mac, MAC);
  assert.is.not(resolveDesired(router(), { ...FRESH, machineId: "ff" }).mac, MAC);
});

test("without a machine-id it fails, unless a MAC is given", () => {
  const unidentified = { ...FRESH, machineId: "" };
  assert.match(
    errorOf(router(), unidentified),
    /^mac: .*\(found none in \/etc\/machine-id\)\. Run systemd-machine-id-setup, or set mac\.$/,
  );
  assert.is(resolveDesired(router({ mac: "0e:5f:33:00:00:01" }), unidentified).mac, "0e:5f:33:00:00:01");
});

test("a MAC that another device of the host has is rejected, unless it stands on the bridge or is its port", () => {
  const beside = (more: Partial<IpLink>) => ({
    ...FRESH,
    links: [...FRESH.links, ipLink("other", [], { mac: MAC, ...more })],
  });
  assert.is(
    errorOf(router(), beside({})),
    `mac: ${MAC} must belong to the bridge only (found it on other). Set another one, or remove mac to have one derived from the ` +
      "host's machine-id.",
  );
  const given = "0e:5f:33:00:00:01";
  assert.match(
    errorOf(router({ mac: given.toUpperCase() }), beside({ mac: given })),
    `${given} must belong to the bridge only`,
  );
  for (const own of [{ parent: "weave" }, { master: "weave" }, { device: "weave" }])
    resolveDesired(router(), beside(own));
  resolveDesired(router({ mac: given }), beside({}));
});

test("an alternative name of a device is rejected", () => {
  const aliased = (alias: string) => ({
    ...FRESH,
    links: [...FRESH.links, ipLink("eth1", [], { aliases: ["enp1s0", alias] })],
  });
  assert.is(
    errorOf(router(), aliased("weave")),
    "name: weave must be free on this host (found it as another name of eth1). Set another name, or delete that one (ip link " +
      "property del dev eth1 altname weave).",
  );
  assert.match(errorOf(vxlan(), aliased("weave-vx")), /^name: weave-vx must be free/);
  resolveDesired(router(), aliased("weave-vx"));
});

test("a name that ifupdown would take for a VLAN of a device is rejected", () => {
  assert.is(
    errorOf(router({ name: "eth0.7" }), FRESH),
    "name: must not be one that ifupdown gives a VLAN (found eth0.7 on a host that has eth0). Set a name without a dot.",
  );
  const networkd = { ...FRESH, managers: { ...FRESH.managers, networkd: "manages" as const } };
  for (const [name, host] of [
    ["eth0.7", networkd],
    ["br.7", FRESH],
    ["eth0.x", FRESH],
  ] as const)
    assert.is(resolveDesired(router({ name }), host).name, name);
});

test("a kernel that can't make the bridge or the VXLAN is rejected before anything changes", () => {
  const lacking = (kind: "bridge" | "vxlan") => ({
    ...steadyVxlan(),
    missingKinds: [{ kind, found: "a kernel that loads no modules" }],
  });
  assert.is(
    errorOf(vxlan(), lacking("vxlan")),
    "datapath: this kernel must have the module vxlan (found a kernel that loads no modules). Install or allow it (modprobe " +
      "vxlan), or set datapath: router.",
  );
  assert.match(errorOf(router(), lacking("bridge")), /^kernel: must have the module bridge .*\(modprobe bridge\)\.$/);
});

test("what containers on a Docker network of the bridge were given is not changed under them", () => {
  const flat = { name: "flat", gateway: "10.2.0.1", mtu: 1450, members: ["api", "web"] };
  const live = (network: object): ObservedBridge => ({ ...steadyVxlan(), dockerNetworks: [{ ...flat, ...network }] });
  for (const fitting of [flat, { ...flat, mtu: null }]) {
    assert.is(resolveDesired(vxlan(), live(fitting)).mtu, 1450);
  }
  const rest =
    " while containers use it (found containers api, web on Docker network flat). Remove them, or disconnect each (docker network " +
    "disconnect flat CONTAINER), also those that do not run, and run again.";
  for (const [options, said] of [
    [vxlan({ network: "10.3.0.0/16" }), "network: the bridge must keep address 10.2.0.1"],
    [vxlan({ host_index: 5 }), "host_index: the bridge must keep address 10.2.0.1"],
    [vxlan({ address: "10.2.0.9/16" }), "address: the bridge must keep address 10.2.0.1"],
    [router(), "datapath: the bridge must keep MTU 1450"],
  ] as const) {
    assert.is(errorOf(options, live({})), said + rest);
  }
});

test.run();
