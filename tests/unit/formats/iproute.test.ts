import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseAddresses, parseFloodPeers, parseLinks, parseVxlan } from "../../../modules/formats/iproute";

// iproute2 6.1.
const ADDRESSES = String.raw`1: lo    inet 127.0.0.1/8 scope host lo\       valid_lft forever preferred_lft forever
3: eth0    inet 192.168.50.11/24 scope global eth0\       valid_lft forever preferred_lft forever
4: weave    inet 10.2.0.1/16 brd 10.2.255.255 scope global weave\       valid_lft forever preferred_lft forever
4: weave    inet 10.32.0.1/12 brd 10.47.255.255 scope global secondary weave\       valid_lft forever preferred_lft forever
`;

const VXLAN = String.raw`5: weave-vx: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue master weave state UNKNOWN mode DEFAULT group default qlen 1000\    link/ether 9a:d1:47:9d:4f:10 brd ff:ff:ff:ff:ff:ff promiscuity 1  allmulti 1 minmtu 68 maxmtu 65535 \    vxlan id 6783 local 192.168.50.11 dev eth0 srcport 0 0 dstport 4789 ttl auto ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx \    bridge_slave state forwarding priority 32 cost 2 hairpin off guard off root_block off fastleave off learning on flood on port_id 0x8001 \ numtxqueues 1 gso_max_size 65536
`;

test("addresses are read with their device and prefix length, several of a device too", () => {
  assert.equal(parseAddresses(ADDRESSES), [
    { device: "lo", cidr: "127.0.0.1/8" },
    { device: "eth0", cidr: "192.168.50.11/24" },
    { device: "weave", cidr: "10.2.0.1/16" },
    { device: "weave", cidr: "10.32.0.1/12" },
  ]);
});

test("a point-to-point address, which is printed without a prefix length, is a host's own", () => {
  const output = String.raw`7: tun0    inet 10.8.0.6 peer 10.8.0.5/32 scope global tun0\       valid_lft forever preferred_lft forever`;
  assert.equal(parseAddresses(output), [{ device: "tun0", cidr: "10.8.0.6/32" }]);
});

test("a label is not mistaken for the device", () => {
  const output = String.raw`3: eth0    inet 192.168.50.99/24 scope global secondary eth0:1\       valid_lft forever preferred_lft forever`;
  assert.equal(parseAddresses(output), [{ device: "eth0", cidr: "192.168.50.99/24" }]);
});

test("no output means no address", () => {
  assert.equal(parseAddresses(""), []);
});

const LINKS = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00 promiscuity 0 numtxqueues 1
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
3: eth0@if21: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether 52:54:00:32:00:01 brd ff:ff:ff:ff:ff:ff link-netnsid 0 promiscuity 0
    veth numtxqueues 1 gso_max_size 65536
    altname enp1s0
    altname weave
    inet 192.168.50.11/24 scope global eth0
       valid_lft forever preferred_lft forever
    inet 192.168.50.99/24 scope global secondary eth0:1
       valid_lft forever preferred_lft forever
    inet6 fe80::5054:ff:fe32:1/64 scope link
       valid_lft forever preferred_lft forever
4: tun0: <POINTOPOINT,LOWER_UP> mtu 1500 qdisc fq_codel state UNKNOWN group default qlen 500
    link/none  promiscuity 0
    tun type tun pi off vnet_hdr off persist off
    inet 10.8.0.6 peer 10.8.0.5/32 scope global tun0
       valid_lft forever preferred_lft forever
6: weave-vx: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue master weave state UNKNOWN group default
    link/ether 7e:23:7b:b6:01:2e brd ff:ff:ff:ff:ff:ff promiscuity 1
    vxlan id 6783 local 192.168.50.12 srcport 0 0 dstport 4789 ttl auto ageing 300 noudpcsum
    bridge_slave state forwarding priority 32 cost 100
`;

test("devices are read with their names, states and addresses, primary ones first, and their kinds", () => {
  const device = { aliases: [], parent: null, master: null, up: true, mac: "", addresses: [], vxlan: null };
  assert.equal(parseLinks(LINKS), [
    { ...device, device: "lo", addresses: ["127.0.0.1/8"] },
    {
      ...{ ...device, device: "eth0", aliases: ["enp1s0", "weave"], parent: "if21", mac: "52:54:00:32:00:01" },
      addresses: ["192.168.50.11/24", "192.168.50.99/24"],
    },
    { ...device, device: "tun0", up: false, addresses: ["10.8.0.6/32"] },
    {
      ...{ ...device, device: "weave-vx", master: "weave", mac: "7e:23:7b:b6:01:2e" },
      vxlan: { id: 6783, port: 4789, local: "192.168.50.12", flags: [], ipv6: false },
    },
  ]);
  assert.equal(parseLinks(""), []);
});

const PLAIN = { flags: [], ipv6: false };

test("a VXLAN device's parameters are read from its details", () => {
  assert.equal(parseVxlan(VXLAN), { ...PLAIN, id: 6783, port: 4789, local: "192.168.50.11" });
});

// iproute2 6.1, from devices that were created with these words.
test("so is what decides whether another one can share its port", () => {
  const seen = (details: string) => parseVxlan(`    ${details} numtxqueues 1 numrxqueues 1\n`);
  const rest = "srcport 0 0 dstport 4789 ttl auto ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx";
  assert.equal(seen(`vxlan external id 0 ${rest}`), { id: 0, port: 4789, local: "", flags: ["external"], ipv6: false });
  assert.equal(seen(`vxlan external vnifilter id 0 ${rest}`)?.flags, ["external", "vnifilter"]);
  assert.equal(seen(`vxlan id 5 ${rest} gbp`)?.flags, ["gbp"]);
  assert.equal(seen(`vxlan id 5 ${rest.replace("noudp6zerocsumrx", "udp6zerocsumrx")}`)?.flags, ["udp6zerocsumrx"]);
  // As print_bool_opt() of iproute2 names them since 6.14.
  const named = `vxlan id 0 ${rest.replace(/ udpcsum.*/, "")} external vnifilter udp_zero_csum6_rx remcsum_rx`;
  assert.equal(seen(named)?.flags, ["external", "vnifilter", "udp_zero_csum6_rx", "remcsum_rx"]);
  for (const address of ["local fd00::1", "remote fd00::2", "group ff05::100"]) {
    assert.is(seen(`vxlan id 6 ${address} ${rest}`)?.ipv6, true);
  }
});

test("a VXLAN device's parameters may be in another order and with others between", () => {
  const output = String.raw`5: x: <UP> mtu 1450 \    vxlan id 7 group 239.1.1.1 dev eth1 srcport 0 0 dstport 8472 local 10.0.0.1 nolearning \    addrgenmode eui64`;
  assert.equal(parseVxlan(output), { ...PLAIN, id: 7, port: 8472, local: "10.0.0.1" });
});

test("a parameter that a VXLAN device lacks is empty", () => {
  const output = String.raw`5: x: <UP> mtu 1450 \    vxlan id 7 srcport 0 0 dstport 4789 ttl auto \    bridge_slave dev eth9 local 10.9.9.9`;
  assert.equal(parseVxlan(output), { ...PLAIN, id: 7, port: 4789, local: "" });
});

test("a device that is not a VXLAN has no parameters, whatever its name", () => {
  const bridge = String.raw`4: vxlan: <UP> mtu 1500 qdisc noqueue \    link/ether 9a:d1:47:9d:4f:10 brd ff:ff:ff:ff:ff:ff \    bridge forward_delay 1500`;
  assert.is(parseVxlan(bridge), null);
});

test("the peers of a forwarding table are the destinations of broadcasts", () => {
  const output = `9a:d1:47:9d:4f:10 master weave permanent
9a:d1:47:9d:4f:10 vlan 1 master weave permanent
00:00:00:00:00:00 dst 192.168.50.12 self permanent
00:00:00:00:00:00 dst 192.168.50.13 self permanent
0e:5f:33:00:00:02 dst 192.168.50.14 self
`;
  assert.equal(parseFloodPeers(output), ["192.168.50.12", "192.168.50.13"]);
  // As Linux 6.1 and iproute2 6.1 print two further entries for one address, and one for another network.
  const others = `00:00:00:00:00:00 dst 192.168.50.12 self permanent
00:00:00:00:00:00 dst 192.168.50.12 port 4790 self permanent
00:00:00:00:00:00 dst 192.168.50.13 vni 7 self permanent
00:00:00:00:00:00 dst fe80::2 via weave-wg self permanent
`;
  assert.equal(parseFloodPeers(others), [
    "192.168.50.12",
    "192.168.50.12 port 4790",
    "192.168.50.13 vni 7",
    "fe80::2 via weave-wg",
  ]);
  assert.equal(parseFloodPeers("9a:d1:47:9d:4f:10 master weave permanent\n"), []);
});

test.run();
