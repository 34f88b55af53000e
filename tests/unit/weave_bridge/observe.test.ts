import { test } from "uvu";
import * as assert from "uvu/assert";
import { observe } from "../../../modules/weave_bridge/observe";
import type { BridgeOptions } from "../../../modules/weave_bridge/options";
import { pendingReloadPath } from "../../../modules/weave_bridge/own_files";
import { fakeHost } from "../support/fake_host/fake_host";
import { userErrorLater } from "../support/user_error";
import { FRESH, ipLink, router, STANZA, steadyVxlan, vxlan, vxlanLink } from "./fixtures";

const ROUTES = `unicast default via 192.168.50.1 dev eth0 table main proto boot scope global 
unicast 192.168.50.0/24 dev eth0 table main proto kernel scope link src 192.168.50.11 
`;

const POLICY = `0:	from all lookup local proto kernel
32766:	from all lookup main proto kernel
32767:	from all lookup default proto kernel
`;

const LINKS = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00 promiscuity 0
    inet 127.0.0.1/8 scope host lo
3: eth0@if21: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether 52:54:00:32:00:01 brd ff:ff:ff:ff:ff:ff link-netnsid 0
    inet 192.168.50.11/24 scope global eth0
`;

const BRIDGE_LINKS = `4: weave: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UP group default qlen 1000
    bridge forward_delay 1500 hello_time 200
    inet 10.2.0.1/16 scope global weave
5: weave-vx: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue master weave state UNKNOWN group default
    vxlan id 6783 local 192.168.50.11 srcport 0 0 dstport 4789 ttl auto ageing 300 udpcsum
`;

const FDB = `9a:d1:47:9d:4f:10 master weave permanent
00:00:00:00:00:00 dst 192.168.50.12 self permanent
00:00:00:00:00:00 dst 192.168.50.13 self permanent
`;

const fresh = {
  files: { "/etc/network/interfaces": FRESH.interfaces?.content ?? "" },
  kernel: {
    "/proc/self/status": "Name:\tnode\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0",
    "/etc/machine-id": FRESH.machineId,
    "/proc/sys/kernel/hostname": FRESH.hostName,
    "/sys/class/net/lo/mtu": "65536",
    "/sys/class/net/eth0/mtu": "1500",
  },
  names: {
    "/sys/class/net": ["eth0", "lo"],
    "/sys/module": ["bridge", "vxlan"],
    "/sbin": ["ifup"],
    "/etc/network": ["interfaces", "interfaces.d"],
  },
  programs: { "ip -d -batch -": LINKS + ROUTES + POLICY },
};

const TABLE =
  "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT\nCOMMIT\n";

const steady = {
  files: { ...fresh.files, [STANZA]: steadyVxlan().files.get(STANZA)?.content ?? "" },
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
    ...fresh.names,
    "/usr/sbin": ["iptables"],
    "/sys/class/net": ["eth0", "lo", "weave", "weave-vx"],
    "/sys/class/net/weave/brif": ["weave-vx"],
    "/sys/class/net/weave/bridge": ["bridge_id", "stp_state"],
  },
  links: { "/sys/class/net/weave-vx/master": "../weave" },
  programs: {
    ...fresh.programs,
    "ip -d -batch -": LINKS + BRIDGE_LINKS + ROUTES + POLICY,
    "iptables-save -t filter": TABLE,
    "bridge fdb show dev weave-vx": FDB,
  },
};

const NO_FIREWALL = { tables: { ipv4: null, ipv6: null }, nft: null, ufw: null, firewalld: null };

const ETH0 = { parent: "if21", mac: "52:54:00:32:00:01" };

test("a fresh host is observed with one program", async () => {
  assert.is(Object.keys(fresh.programs).length, 1);
  const links = [ipLink("lo", ["127.0.0.1/8"]), ipLink("eth0", ["192.168.50.11/24"], ETH0)];
  assert.equal(await observe(router(), fakeHost(fresh)), {
    ...FRESH,
    links,
    forwardRuleCount: null,
    firewall: NO_FIREWALL,
  });
});

test("a host with bridge and VXLAN is observed with one ip, one bridge and one iptables-save", async () => {
  assert.is(Object.keys(steady.programs).length, 3);
  const { links, ...others } = await observe(vxlan(), fakeHost(steady));
  const { links: _, ...expected } = steadyVxlan();
  const firewall = { ...NO_FIREWALL, tables: { ipv4: TABLE, ipv6: null } };
  assert.equal(others, { ...expected, firewall });
  assert.equal(links.slice(2), [ipLink("weave", ["10.2.0.1/16"]), vxlanLink("weave-vx", {}, { master: "weave" })]);
});

test("of what nft prints, only its JSON is read", async () => {
  const names = { ...steady.names, "/usr/sbin": ["iptables", "nft"] };
  const read = async (printed: string): Promise<string | null | undefined> => {
    const programs = { ...steady.programs, "nft -j -t list ruleset": printed };
    return (await observe(vxlan(), fakeHost({ ...steady, names, programs }))).firewall?.nft;
  };
  const ruleset = '{"nftables": [{"metainfo": {"version": "1.0.6"}}]}';
  assert.is(await read(`${ruleset}\n`), ruleset);
  assert.is(await read(`# Warning: table ip nat is managed by iptables-nft, do not touch!\n${ruleset}\n`), ruleset);
  assert.is(await read(""), null);
  assert.is(await read("nft was built without JSON\n"), null);
});

test("copies of the iptables rule are counted where it is to go", async () => {
  const rule = "FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT";
  const all = `*filter\n-A ${rule}\n-A FORWARD -j DOCKER-USER\n-A ${rule}\nCOMMIT\n`;
  const host = fakeHost({ ...steady, programs: { ...steady.programs, "iptables-save -t filter": all } });
  const copies = async (options: BridgeOptions): Promise<number | null> =>
    (await observe(options, host)).forwardRuleCount;
  assert.is(await copies(vxlan()), 1, "as many as it takes");
  assert.is(await copies(vxlan({ firewall: "off" })), 2);
  assert.is(await copies(vxlan({ state: "absent" })), 2);
});

test("the filters are not read with firewall: off, but to remove what was opened before", async () => {
  const read = async (state: "present" | "absent"): Promise<unknown> =>
    (await observe(vxlan({ state, firewall: "off" }), fakeHost(steady))).firewall;
  assert.is(await read("present"), null);
  assert.is.not(await read("absent"), null);
});

test("a port of the router is abandoned if its process is gone, or has no end of such a port", async () => {
  const ports = ["vethwepl10", "vethwepl11", "vethwepl12", "vethwe-bridge", "veth0a1b2c3"];
  const kernel = Object.fromEntries(ports.map((port) => [`/sys/class/net/${port}/mtu`, "1376"]));
  const host = fakeHost({
    ...fresh,
    names: { ...fresh.names, "/sys/class/net": [...fresh.names["/sys/class/net"], ...ports] },
    kernel: {
      ...fresh.kernel,
      ...kernel,
      "/proc/10/net/dev": "Inter-|   Receive\n face |bytes\n    lo:       0\n ethwe:  1028",
      "/proc/11/net/dev": "Inter-|   Receive\n face |bytes\n    lo:       0\n  eth0:  1028\nvethwepl11: 2",
    },
  });
  const { abandonedPorts } = await observe(router({ state: "absent" }), host);
  assert.equal(abandonedPorts, ["vethwepl11", "vethwepl12"]);
});

test("Docker is asked who is on a network of the bridge only where the address or the MTU may change", async () => {
  const network = (Name: string, bridge: string) => ({
    ...{ Id: `id-${Name}`, Name, Driver: "bridge", IPAM: { Config: [{ Subnet: "10.2.0.0/16", Gateway: "10.2.0.1" }] } },
    Options: { "com.docker.network.bridge.name": bridge, "com.docker.network.driver.mtu": "1450" },
  });
  const container = (name: string, on: string) => ({
    Names: [`/${name}`],
    NetworkSettings: { Networks: { [on]: {} } },
  });
  const bodies: Record<string, unknown> = {
    "/networks": [
      network("flat", "weave"),
      network("empty", "weave"),
      network("other", "br-1"),
      network("bridge", "weave"),
    ],
    "/containers/json?all=true": [container("web", "flat"), container("old", "other"), container("new", "bridge")],
  };
  let asked = 0;
  const kernel = { ...steady.kernel, "/var/run/docker.pid": "77", "/proc/77/comm": "dockerd" };
  const host = fakeHost({ ...steady, kernel }).with({
    request: ({ path }) => {
      asked++;
      return { status: 200, body: JSON.stringify(bodies[path]) };
    },
  });
  const used = [{ name: "flat", gateway: "10.2.0.1", mtu: 1450, members: ["web"] }];
  const { dockerNetworks } = await observe(vxlan(), host);
  assert.equal([dockerNetworks, asked], [[], 0]);
  for (const change of [vxlan({ network: "10.3.0.0/16" }), vxlan({ host_index: 5 }), router()]) {
    assert.equal((await observe(change, host)).dockerNetworks, used);
  }
  assert.equal((await observe(vxlan({ host_index: 5 }), fakeHost(steady))).dockerNetworks, [], "Docker does not run");
});

test("an iptables that fails does not mean that the rule is missing", async () => {
  const failed = { status: 4, stdout: "", stderr: "out of memory\n" };
  const host = fakeHost({ ...fresh, names: { ...fresh.names, "/usr/sbin": ["iptables"] } }).with({
    run: ([program]) => (program === "iptables-save" ? failed : undefined),
  });
  assert.match(
    await userErrorLater(() => observe(router(), host)),
    /^iptables-save -t filter: must succeed \(found status 4: out of memory\)/,
  );
  assert.is((await observe(router({ firewall: "off" }), host)).forwardRuleCount, 0);
});

test("a reload that an interrupted run left pending is observed", async () => {
  const names = { ...fresh.names, "/run": ["lock", "weave.adopt", "weave_bridge.reload-systemd"] };
  const { pendingReloads } = await observe(router(), fakeHost({ ...fresh, names }));
  assert.equal(pendingReloads, [pendingReloadPath("systemd")]);
});

test("a user other than root gets an error", async () => {
  const kernel = { "/proc/self/status": "Uid:\t1000\t1000\t1000\t1000" };
  assert.is(
    await userErrorLater(() => observe(router(), fakeHost({ ...fresh, kernel }))),
    "weave_bridge: must run as root (found user id 1000). Run it as root (become: true).",
  );
});

const PING = "ping -c1 -w1 -I weave 10.2.0.7";
const NEIGHBOURS = `IP address       HW type     Flags       HW address            Mask     Device
10.2.0.6         0x1         0x0         00:00:00:00:00:00     *        weave
10.2.0.7         0x1         0x2         0e:00:00:00:00:01     *        eth0
10.2.0.7         0x1         FLAGS         0e:00:00:00:00:07     *        weave`;

test("another host that answers to the bridge's next address is found", async () => {
  for (const [flags, mac] of [
    ["0x2", "0e:00:00:00:00:07"],
    ["0x0", null],
  ] as const) {
    const names = { ...steady.names, "/bin": ["ping"] };
    const kernel = { ...steady.kernel, "/proc/net/arp": NEIGHBOURS.replace("FLAGS", flags) };
    const host = fakeHost({ ...steady, names, kernel, programs: { ...steady.programs, [PING]: "" } });
    assert.is((await observe(vxlan({ host_index: 7 }), host)).macAtAddress, mac);
    assert.is((await observe(vxlan(), host)).macAtAddress, null, "an address that the bridge has is not probed");
  }
});

test("a bridge on ifupdown's list of interfaces that are up is observed", async () => {
  const kernel = { ...fresh.kernel, "/run/network/ifstate": "lo=lo\nweave=weave" };
  assert.is((await observe(router(), fakeHost({ ...fresh, kernel }))).upInIfupdown, true);
});

test("kernel settings of the bridge are observed, as set for it or for all", async () => {
  const settings = async (kernel: Record<string, string>): Promise<readonly string[] | undefined> =>
    (await observe(vxlan(), fakeHost({ ...steady, kernel: { ...steady.kernel, ...kernel } }))).bridge?.settings;
  const conf = "/proc/sys/net/ipv4/conf";
  assert.equal(await settings({ [`${conf}/weave/arp_notify`]: "0" }), []);
  assert.equal(await settings({ [`${conf}/weave/arp_notify`]: "1" }), ["arp_notify"]);
  assert.equal(await settings({ [`${conf}/all/promote_secondaries`]: "1" }), ["promote_secondaries"]);
});

test("a kernel without policy routing has no rules, and a link to nowhere in place of a file is observed", async () => {
  const host = fakeHost({ ...fresh, files: {}, links: { "/etc/network/interfaces": "/srv/interfaces" } }).with({
    run: ([program]) =>
      program === "ip"
        ? {
            status: 1,
            stdout: LINKS + ROUTES,
            stderr: "RTNETLINK answers: Operation not supported\nCommand failed -:3\n",
          }
        : undefined,
  });
  const { routes, rules, danglingInterfaces, interfaces } = await observe(router(), host);
  assert.equal([routes.length, rules, danglingInterfaces, interfaces], [2, [], "/srv/interfaces", null]);
});

test("without addresses or routes, nothing is observed", async () => {
  const failed = { status: 1, stdout: LINKS, stderr: "Cannot send dump request: Bad message\nCommand failed -:2\n" };
  const host = fakeHost(fresh).with({ run: ([program]) => (program === "ip" ? failed : undefined) });
  assert.is(
    await userErrorLater(() => observe(router(), host)),
    "ip -d -batch -: must succeed (found status 1: Cannot send dump request: Bad message\nCommand failed -:2). " +
      "Check that iproute2 works on this host (ip addr).",
  );
});

test("a link that is down, or is not a bridge, is observed as such", async () => {
  const kernel = { ...steady.kernel, "/sys/class/net/weave/flags": "0x1002" };
  const names = { ...fresh.names, "/sys/class/net": steady.names["/sys/class/net"] };
  const { bridge } = await observe(vxlan(), fakeHost({ ...steady, kernel, names }));
  assert.is(bridge?.up, false);
  assert.is(bridge?.isBridge, false);
});

test("a device with the VXLAN's name that is not a VXLAN has no parameters", async () => {
  const programs = { ...steady.programs, ...fresh.programs };
  assert.is((await observe(vxlan(), fakeHost({ ...steady, programs }))).vxlan?.parameters, null);
});

test("names of peers and underlay are resolved, but not addresses and devices of this host", async () => {
  const lookups = { host2: ["192.168.50.12"], host1: ["127.0.1.1"], eth0: ["192.0.2.1"], eth7: [] };
  const resolvedNames = async (options: BridgeOptions): Promise<object> =>
    Object.fromEntries((await observe(options, fakeHost({ ...fresh, lookups }))).resolvedNames);
  const peers = ["192.168.50.13", "host2", "host3"];
  assert.equal(await resolvedNames(vxlan({ peers, underlay: "host1" })), { ...HOST2_ALONE, host1: ["127.0.1.1"] });
  assert.equal(await resolvedNames(vxlan({ peers, underlay: "eth7" })), { ...HOST2_ALONE, eth7: [] });
  for (const underlay of [null, "eth0", "192.168.50.11", "eth0:1"]) {
    assert.equal(await resolvedNames(vxlan({ peers, underlay })), HOST2_ALONE);
  }
  assert.equal(await resolvedNames(vxlan({ peers, state: "absent" })), {});
  // With the router, the underlay counts, for its MTU, and the peers for what a firewall does with them.
  const routed = { peers, underlay: "host1" };
  assert.equal(await resolvedNames(router(routed)), { ...HOST2_ALONE, host1: ["127.0.1.1"] });
  assert.equal(await resolvedNames(router({ ...routed, firewall: "off" })), { host1: ["127.0.1.1"] });
});
const HOST2_ALONE = { host2: ["192.168.50.12"], host3: [] };

test("what does not exist is empty or null", async () => {
  const { "/proc/self/status": status } = fresh.kernel;
  const observed = await observe(router(), fakeHost({ ...fresh, kernel: { "/proc/self/status": status }, files: {} }));
  assert.is(observed.danglingInterfaces, null);
  assert.is(observed.machineId, "");
  assert.is(observed.interfaces, null);
});

test("a machine-id that a first boot has not set yet, or of zeros, is none", async () => {
  for (const text of ["", "uninitialized", "0".repeat(32)]) {
    const host = fakeHost({ ...fresh, kernel: { ...fresh.kernel, "/etc/machine-id": text } });
    assert.is((await observe(router(), host)).machineId, "", text);
  }
});

test("the list of an ifupdown that was removed is ignored", async () => {
  const listed = { ...fresh, kernel: { ...fresh.kernel, "/run/network/ifstate": "lo=lo\nweave=weave" } };
  const without = { ...listed, names: { ...fresh.names, "/sbin": [] } };
  assert.ok((await observe(router(), fakeHost(listed))).upInIfupdown);
  assert.not.ok((await observe(router(), fakeHost(without))).upInIfupdown);
});

test.run();
