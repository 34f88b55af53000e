import { test } from "uvu";
import * as assert from "uvu/assert";
import { observe } from "../../../modules/weave_bridge/observe";
import { memoryHost } from "../support/memory_host";
import { FRESH, router, STANZA, steadyVxlan, vxlan } from "./hosts";

const ROUTES = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t0032A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t00000000\t0132A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0`;

const ADDRESSES = String.raw`1: lo    inet 127.0.0.1/8 scope host lo\       valid_lft forever preferred_lft forever
3: eth0    inet 192.168.50.11/24 scope global eth0\       valid_lft forever preferred_lft forever
`;

const BRIDGE_ADDRESS = String.raw`4: weave    inet 10.2.0.1/16 brd 10.2.255.255 scope global weave\       valid_lft forever preferred_lft forever
`;

const VXLAN = String.raw`5: weave-vx: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue master weave state UNKNOWN mode DEFAULT group default qlen 1000\    link/ether 9a:d1:47:9d:4f:10 brd ff:ff:ff:ff:ff:ff promiscuity 1  allmulti 1 minmtu 68 maxmtu 65535 \    vxlan id 6783 local 192.168.50.11 dev eth0 srcport 0 0 dstport 4789 ttl auto ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx \    bridge_slave state forwarding priority 32 cost 2 hairpin off`;

const FDB = `9a:d1:47:9d:4f:10 master weave permanent
00:00:00:00:00:00 dst 192.168.50.12 self permanent
00:00:00:00:00:00 dst 192.168.50.13 self permanent
`;

const fresh = {
  files: { "/etc/network/interfaces": FRESH.interfaces?.content ?? "" },
  kernel: {
    "/etc/machine-id": FRESH.machineId,
    "/proc/net/route": ROUTES,
    "/sys/class/net/lo/mtu": "65536",
    "/sys/class/net/eth0/mtu": "1500",
  },
  names: { "/sys/class/net": ["eth0", "lo"] },
  programs: { "ip -o -4 addr show": ADDRESSES },
};

const steady = {
  files: { ...fresh.files, [STANZA]: steadyVxlan().stanza?.content ?? "" },
  kernel: {
    ...fresh.kernel,
    "/sys/class/net/weave/mtu": "1450",
    "/sys/class/net/weave/address": steadyVxlan().bridge.mac,
    "/sys/class/net/weave/flags": "0x1003",
    "/sys/class/net/weave-vx/mtu": "1450",
    "/sys/class/net/weave-vx/address": "9a:d1:47:9d:4f:10",
    "/sys/class/net/weave-vx/flags": "0x1103",
  },
  names: {
    "/sys/class/net": ["eth0", "lo", "weave", "weave-vx"],
    "/sys/class/net/weave/bridge": ["bridge_id", "stp_state"],
  },
  links: { "/sys/class/net/weave-vx/master": "../weave" },
  programs: {
    "ip -o -4 addr show": ADDRESSES + BRIDGE_ADDRESS,
    "ip -d -o link show dev weave-vx": VXLAN,
    "bridge fdb show dev weave-vx": FDB,
  },
};

test("a fresh host is seen as it is, by one program", () => {
  assert.equal(observe(router(), memoryHost(fresh)), FRESH);
});

test("a host with bridge and VXLAN is seen as it is", () => {
  assert.equal(observe(vxlan(), memoryHost(steady)), steadyVxlan());
});

test("a link that is down, or is no bridge, is seen so", () => {
  const kernel = { ...steady.kernel, "/sys/class/net/weave/flags": "0x1002" };
  const names = { "/sys/class/net": steady.names["/sys/class/net"] };
  const { bridge } = observe(vxlan(), memoryHost({ ...steady, kernel, names }));
  assert.is(bridge?.up, false);
  assert.is(bridge?.isBridge, false);
});

test("a device of the VXLAN's name that is none has no parameters", () => {
  const programs = { ...steady.programs, "ip -d -o link show dev weave-vx": "5: weave-vx: <UP> mtu 1500" };
  assert.is(observe(vxlan(), memoryHost({ ...steady, programs })).vxlan?.parameters, null);
});

test("without a default route there is no default device, and without the files they are null", () => {
  const kernel = { "/proc/net/route": ROUTES.split("\n").slice(0, 2).join("\n") };
  const seen = observe(router(), memoryHost({ ...fresh, kernel, files: {} }));
  assert.is(seen.defaultDevice, null);
  assert.is(seen.machineId, "");
  assert.is(seen.interfaces, null);
});

test("a network whose destination is 0 but whose mask is not is no default route", () => {
  const kernel = {
    "/proc/net/route": "Iface\tDestination\neth9\t00000000\t00000000\t0001\t0\t0\t0\t000000FE\t0\t0\t0",
  };
  assert.is(observe(router(), memoryHost({ ...fresh, kernel })).defaultDevice, null);
});

test.run();
