import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolveDesired } from "../../../modules/weave_bridge/desired";
import type { ObservedBridge } from "../../../modules/weave_bridge/observe";
import type { BridgeOptions } from "../../../modules/weave_bridge/options";
import { refusalOf } from "../support/refusal";
import { FRESH, MAC, router, steadyRouter, vxlan } from "./hosts";

const refused = (options: BridgeOptions, observed: ObservedBridge): string =>
  refusalOf(() => resolveDesired(options, observed));

test("with the Weave router: the addresses of the host's index, a MAC of its machine-id, Docker's own MTU", () => {
  assert.equal(resolveDesired(router(), FRESH), {
    name: "weave",
    address: "10.2.0.1/16",
    network: "10.2.0.0/16",
    dockerSubnet: "10.2.1.0/24",
    mac: MAC,
    mtu: 1500,
    vxlan: null,
    provider: "ifupdown",
    firewall: true,
  });
});

test("with VXLAN: the default route's device and its MTU less 50, the peers in order and without the host itself", () => {
  const wanted = resolveDesired(vxlan(), FRESH);
  assert.is(wanted.mtu, 1450);
  assert.equal(wanted.vxlan, {
    name: "weave-vx",
    id: 6783,
    port: 4789,
    local: "192.168.50.11",
    peers: ["192.168.50.12", "192.168.50.13"],
  });
});

test("a VXLAN with the identifier and port of another device is refused, as the kernel makes no second one", () => {
  const beside = (device: string, port: number): ObservedBridge => {
    const other = { device, addresses: [], vxlan: { id: 6783, port, local: "192.168.50.11" } };
    return { ...FRESH, links: [...FRESH.links, other] };
  };
  assert.is(
    refused(vxlan(), beside("other-vx", 4789)),
    "vxlan_id: 6783, with vxlan_port 4789, is that of other-vx on this host; give each bridge an id of its own, the same on " +
      "all hosts, or take the other away (ip link del other-vx)",
  );
  for (const fits of [beside("weave-vx", 4789), beside("other-vx", 8472)]) resolveDesired(vxlan(), fits);
  resolveDesired(vxlan({ vxlan_id: 6784 }), beside("other-vx", 4789));
  resolveDesired(router(), beside("other-vx", 4789));
});

test("addresses of one's own choice need no index, and one alone takes the other from the index", () => {
  const own = { host_index: null, address: "172.30.0.9/20", docker_subnet: "172.30.4.0/23" };
  const wanted = resolveDesired(router(own), FRESH);
  assert.equal(
    [wanted.address, wanted.network, wanted.dockerSubnet],
    ["172.30.0.9/20", "172.30.0.0/20", "172.30.4.0/23"],
  );
  assert.is(resolveDesired(router({ host_index: 7, address: "10.2.0.200/16" }), FRESH).dockerSubnet, "10.2.7.0/24");
  assert.is(resolveDesired(router({ host_index: 7, docker_subnet: "10.2.99.0/24" }), FRESH).address, "10.2.0.7/16");
});

test("network and docker_prefix are what the index is counted in", () => {
  const wanted = resolveDesired(router({ network: "10.32.0.0/12", docker_prefix: 22, host_index: 3 }), FRESH);
  assert.equal([wanted.address, wanted.dockerSubnet], ["10.32.0.3/12", "10.32.12.0/22"]);
});

test("without index or addresses it is refused", () => {
  for (const more of [{}, { address: "10.2.0.1/16" }, { docker_subnet: "10.2.1.0/24" }]) {
    assert.match(refused(router({ host_index: null, ...more }), FRESH), /^host_index: not given; give /);
  }
});

test("an index that does not fit is refused with the network that would do", () => {
  assert.match(
    refused(router({ host_index: 255 }), FRESH),
    /^host_index: 255 does not fit.*10\.2\.0\.0\/15 would hold it/,
  );
});

test("a subnet outside the bridge's network is refused", () => {
  assert.match(
    refused(router({ docker_subnet: "10.3.1.0/24" }), FRESH),
    /^docker_subnet: "10\.3\.1\.0\/24" is outside the bridge's network 10\.2\.0\.0\/16.*give a subnet of that network/,
  );
});

test("a network that overlaps one of the host's own is refused, whichever holds the other", () => {
  assert.is(
    refused(router({ network: "192.168.0.0/16" }), FRESH),
    "network: 192.168.0.0/16 overlaps 192.168.50.11/24, which this host has on eth0; " +
      "choose a network that the hosts do not use",
  );
  const wide = { ...FRESH, links: [{ device: "eth0", addresses: ["10.0.0.5/8"], vxlan: null }] };
  assert.match(refused(router(), wide), "network: 10.2.0.0/16 overlaps 10.0.0.5/8, which this host has on eth0");
});

test("a network that overlaps a route on another device is refused, but for the default one and its halves", () => {
  const routed = (network: string, device = "eth0") => ({ ...FRESH, routes: [...FRESH.routes, { network, device }] });
  for (const network of ["10.0.0.0/8", "10.2.128.0/17", "10.2.0.1/32"]) {
    assert.is(
      refused(router(), routed(network)),
      `network: 10.2.0.0/16 overlaps the route to ${network}, which this host has on eth0; choose a network that the hosts do not use`,
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

test("an address that another host has is refused with who has it", () => {
  assert.is(
    refused(router(), { ...FRESH, addressHolder: "0e:00:00:00:00:02" }),
    "address: another host (0e:00:00:00:00:02) already has 10.2.0.1, this host's own by its host_index or address; " +
      "give each host a number of its own",
  );
});

test("the firewall is seen to unless told otherwise, or where there is no iptables", () => {
  assert.is(resolveDesired(router(), FRESH).firewall, true);
  assert.is(resolveDesired(router({ firewall: false }), FRESH).firewall, false);
  assert.is(resolveDesired(router(), { ...FRESH, passes: null }).firewall, false);
});

test("the bridge's own address is no clash with its network", () => {
  assert.is(resolveDesired(router(), steadyRouter()).address, "10.2.0.1/16");
});

test("a MAC and an MTU that are given are taken", () => {
  const wanted = resolveDesired(vxlan({ mac: "0E:5F:33:00:00:01", mtu: 1400 }), FRESH);
  assert.equal([wanted.mac, wanted.mtu], ["0e:5f:33:00:00:01", 1400]);
});

test("bridges of one host, and hosts, have different MACs", () => {
  assert.is.not(resolveDesired(router({ name: "weave2" }), FRESH).mac, MAC);
  assert.is.not(resolveDesired(router(), { ...FRESH, machineId: "ff" }).mac, MAC);
});

test("a host without machine-id is refused, unless a MAC is given", () => {
  const nobody = { ...FRESH, machineId: "" };
  assert.match(
    refused(router(), nobody),
    /^mac: \/etc\/machine-id is empty.*run systemd-machine-id-setup, or give mac/,
  );
  assert.is(resolveDesired(router({ mac: "0e:5f:33:00:00:01" }), nobody).mac, "0e:5f:33:00:00:01");
});

test.run();
