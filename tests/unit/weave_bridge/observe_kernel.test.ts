import { test } from "uvu";
import * as assert from "uvu/assert";
import type { IpLink } from "../../../modules/formats/iproute";
import {
  findMissingKinds,
  findPortHolder,
  observeNetwork,
  parsePortHolder,
} from "../../../modules/weave_bridge/observe_kernel";
import type { Contents } from "../support/fake_host/contents";
import { fakeHost } from "../support/fake_host/fake_host";
import { router, vxlan, vxlanLink } from "./fixtures";

const MODPROBE = "modprobe --dry-run --verbose rtnl-link-vxlan";
const loadable: Contents = {
  names: { "/sys/module": ["bridge"] },
  kernel: { "/proc/modules": "bridge 1 0 - Live", "/proc/sys/kernel/modules_disabled": "0" },
};
const missing = (contents: Contents, failure?: string): string[] => {
  const host = fakeHost(contents).with({
    run: ([program]) =>
      failure !== undefined && program === "modprobe" ? { status: 1, stdout: "", stderr: failure } : undefined,
  });
  return findMissingKinds(vxlan(), new Set(["modprobe"]), host).map(({ kind, found }) => `${kind}: ${found}`);
};

test("a kernel that has the module, or in which modprobe finds it, lacks nothing", () => {
  assert.equal(missing({ names: { "/sys/module": ["bridge", "vxlan"] } }), []);
  const insmod = "insmod /lib/modules/6.1.0/kernel/drivers/net/vxlan/vxlan.ko\n";
  assert.equal(missing({ ...loadable, programs: { [MODPROBE]: insmod } }), []);
  assert.equal(missing({ ...loadable, programs: { [MODPROBE]: "builtin vxlan\n" } }), []);
});

test("a kernel that can't load the module lacks it, for each reason", () => {
  assert.equal(missing({ ...loadable, kernel: {} }), ["vxlan: a kernel that loads no modules"]);
  const kernel = { ...loadable.kernel, "/proc/sys/kernel/modules_disabled": "1" };
  assert.equal(missing({ ...loadable, kernel }), ["vxlan: kernel.modules_disabled set to 1"]);
  const failure = "modprobe: FATAL: Module rtnl-link-vxlan not found in directory /lib/modules/6.1.0\n";
  assert.equal(missing(loadable, failure), [`vxlan: that ${MODPROBE} printed: ${failure.trim()}`]);
  for (const command of ["install /bin/false", "install /usr/bin/true "])
    assert.equal(missing({ ...loadable, programs: { [MODPROBE]: `${command}\n` } }), [
      `vxlan: that ${MODPROBE} printed: ${command}`,
    ]);
  assert.equal(missing({ ...loadable, names: {}, kernel: {} }).length, 2, "neither bridge nor VXLAN");
});

test("without modprobe, as in a container, nothing tells", () => {
  assert.equal(findMissingKinds(vxlan(), new Set(), fakeHost(loadable)), []);
});

// A modprobe in LXD's containers prints this, with the status 1 (LXD issues 2321 and 9424), while `ip link add` loads the module.
test("a container's own modprobe is not asked, unless it has the kernel's modules", () => {
  const failure = "modprobe: FATAL: Module rtnl-link-vxlan not found in directory /lib/modules/6.1.0\n";
  const kernel = { ...loadable.kernel, "/run/systemd/container": "lxc", "/proc/sys/kernel/osrelease": "6.1.0" };
  assert.equal(missing({ ...loadable, kernel }, failure), []);
  const names = { ...loadable.names, "/lib/modules": ["6.1.0"] };
  assert.equal(missing({ names, kernel }, failure).length, 1);
});

test("the Weave router needs no VXLAN", () => {
  assert.equal(findMissingKinds(router(), new Set(), fakeHost({ ...loadable, kernel: {} })), []);
});

// can_print_opt() of iproute2's ip/iplink_can.c begins its lines with a tab, as ip/iproute.c those of next hops.
test("the lines of a device, a route or a rule belong together, and others count for nothing", () => {
  const stdout = `1: lo: <LOOPBACK,UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00 promiscuity 0
    inet 127.0.0.1/8 scope host lo
5: can0: <NOARP,UP,LOWER_UP,ECHO> mtu 16 qdisc pfifo_fast state UP group default qlen 10
    link/can  promiscuity 0 minmtu 0 maxmtu 0 
    can state ERROR-ACTIVE (berr-counter tx 0 rx 0) restart-ms 0 
\t  bitrate 500000 sample-point 0.875 
\t  tq 125 prop-seg 6 phase-seg1 7 phase-seg2 2 sjw 1
\t  clock 8000000 numtxqueues 1
    alias two
lines
6: eth0: <UP> mtu 1500
    inet 192.168.50.11/24 scope global eth0
unicast default proto static scope global 
\tnexthop via 192.168.50.1 dev eth0 weight 1 
unicast 192.168.50.0/24 dev eth0 proto kernel scope link src 192.168.50.11 
0:\tfrom all lookup local
32766:\tfrom all lookup main
`;
  const host = fakeHost({}).with({ run: () => ({ status: 0, stdout, stderr: "" }) });
  const { links, routes, rules } = observeNetwork(host);
  assert.equal(
    links.map(({ device, addresses }) => [device, ...addresses]),
    [["lo", "127.0.0.1/8"], ["can0"], ["eth0", "192.168.50.11/24"]],
  );
  assert.equal(
    routes.map(({ network, device, via }) => [network, device, via]),
    [
      ["0.0.0.0/0", "eth0", "192.168.50.1"],
      ["192.168.50.0/24", "eth0", null],
    ],
  );
  assert.equal(
    rules.map(({ priority }) => priority),
    [0, 32766],
  );
});

// iproute2 6.1, by a socket of each kind; `ip link set up` of a VXLAN then fails, or not, as the tests say.
const HEAD = "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess";
const holders: readonly (readonly [row: string, found: string | null])[] = [
  ['UNCONN 0 0 127.0.0.1:4789 0.0.0.0:* users:(("python3",pid=812,fd=3))', "python3 (process 812)"],
  ['UNCONN 0 0 0.0.0.0:4789 0.0.0.0:* users:(("a b",pid=7,fd=3),("c",pid=8,fd=3))', "a b (process 7)"],
  ['UNCONN 0 0 *:4789 *:* users:(("node",pid=812,fd=3))', "node (process 812)"],
  ['UNCONN 0 0 [::ffff:127.0.0.1]:4789 *:* users:(("node",pid=812,fd=3))', "node (process 812)"],
  ['UNCONN 0 0 0.0.0.0%eth0:4789 0.0.0.0:* users:(("dhclient",pid=812,fd=3))', "dhclient (process 812)"],
  ["UNCONN 0 0 0.0.0.0:4789 0.0.0.0:* ", "a socket of the kernel, such as another tunnel's"],
  ['UNCONN 0 0 [::]:4789 [::]:* users:(("node",pid=812,fd=3))', null],
  ['UNCONN 0 0 [::1]:4789 [::]:* users:(("node",pid=812,fd=3))', null],
  ['UNCONN 0 0 0.0.0.0:14789 0.0.0.0:* users:(("node",pid=812,fd=3))', null],
];

test("a socket is in the way if it listens for IPv4 on any address", () => {
  for (const [row, found] of holders) assert.is(parsePortHolder(`${HEAD}\n${row}\n`, 4789, "ipv4"), found, row);
  assert.is(parsePortHolder("", 4789, "ipv4"), null);
  const ofNode = `${HEAD}\nUNCONN 0 0 0.0.0.0:4789 0.0.0.0:* users:(("MainThread",pid=77,fd=19))\n`;
  assert.is(parsePortHolder(ofNode, 4789, "ipv4"), "MainThread (process 77)");
  assert.is(
    parsePortHolder(ofNode, 4789, "ipv4", (pid) => (pid === 77 ? "node" : null)),
    "node (process 77)",
  );
});

const row = (address: string): string =>
  `   sl  local_address rem_address   st\n  789: ${address}:12B5 00000000:0000 07 00000000:00000000 00:00000000`;
const holder = (contents: Contents, links: readonly IpLink[] = [], options = vxlan()): string | null =>
  findPortHolder(options, links, fakeHost(contents));

test("sockets are looked up only if one has the port and no VXLAN shares its own", () => {
  const programs = { "ss -uanp": `${HEAD}\n${holders[0]?.[0]}\n` };
  for (const table of ["/proc/net/udp", "/proc/net/udp6"]) {
    const kernel = { [table]: row("0100007F") };
    assert.is(holder({ kernel, programs }), "python3 (process 812)");
    assert.is(holder({ kernel, programs }, [vxlanLink("a", {}, { up: false })]), "python3 (process 812)");
    assert.is(holder({ kernel }, [vxlanLink("weave-vx", {})]), null);
    assert.is(holder({ kernel }, [], vxlan({ vxlan_port: 8472 })), null);
    assert.is(holder({ kernel }, [], router()), null);
  }
  assert.is(holder({}), null);
});

// Docker 20.10 with an overlay network in use: its VXLAN is in the namespace 1-wycxavp289, and its socket in the host's. A VXLAN
// without receive flags came up beside it on Linux 6.18, and both carried traffic.
test("the socket of Docker Swarm's VXLANs, which are in namespaces of their own, is shared", () => {
  const contents = (...names: string[]): Contents => ({
    kernel: { "/proc/net/udp": row("00000000") },
    programs: { "ss -uanp": `${HEAD}\nUNCONN 0 0 0.0.0.0:4789 0.0.0.0:* \n` },
    names: { "/run/docker/netns": names },
  });
  assert.is(holder(contents("1-wycxavp289", "ingress_sbox", "default")), null);
  assert.is(holder(contents("0123456789ab", "default")), "a socket of the kernel, such as another tunnel's");
  const program = { ...contents("1-wycxavp289"), programs: { "ss -uanp": `${HEAD}\n${holders[0]?.[0]}\n` } };
  assert.is(holder(program), "python3 (process 812)");
});

test.run();
