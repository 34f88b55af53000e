import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { type CommandResult, installCommand, runCommand, subjects } from "./command";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, failures } from "./playbook";
import { assertRejected, PREFLIGHT, type Rejections, rejectionsInventory } from "./rejections";
import { waitUntil } from "./shell";

/** What weave_bridge says where it can't do what is asked. Unless told otherwise, nothing is changed then. */
const test = suite("weave_bridge: errors");
let cluster: Cluster;
let host: Host;
const OPTIONS = { "host-index": 1, datapath: "vxlan", underlay: "eth0", peers: "192.168.50.12" };
const STANZA = "/etc/network/interfaces.d/weave.cfg";
const bridge = (more: Record<string, string | number> = {}, ...flags: string[]): Promise<CommandResult> =>
  runCommand(host, "bridge", { ...OPTIONS, ...more }, flags);

test.before(async () => {
  cluster = await bootHosts(2);
  host = cluster.host("apollo1");
  await installCommand(cluster.hosts);
});
test.after(() => cluster.down());

/** A process on the VXLAN's port, until it is stopped. */
const LISTEN = (type: string, address: string): string =>
  `systemd-run --quiet --unit=listener node -e 'require("dgram").createSocket("${type}").bind(4789, "${address}")'; ${waitUntil("ss -uan | grep -q :4789")}`;

interface Rejected {
  /** What the host is like, and what makes it as it was. */
  readonly by?: string;
  readonly undo?: string;
  readonly options?: Record<string, string | number>;
  readonly says: RegExp;
}
const REJECTIONS: Readonly<Record<string, Rejected>> = {
  "a route in the way": {
    by: "ip route add 10.0.0.0/8 via 192.168.50.1",
    undo: "ip route del 10.0.0.0/8",
    says: /^network: 10\.2\.0\.0\/16 must not overlap the networks of this host \(found the route to 10\.0\.0\.0\/8 on eth0\)\. Set a network that the hosts do not use\.$/,
  },
  "an address in the way": {
    by: "ip addr add 10.2.7.1/24 dev eth0",
    undo: "ip addr del 10.2.7.1/24 dev eth0",
    says: /^network: 10\.2\.0\.0\/16 must not overlap .* \(found 10\.2\.7\.1\/24 on eth0\)\. Set /,
  },
  "an address of the underlay": {
    options: { address: "192.168.50.77/24", "docker-subnet": "192.168.50.64/28" },
    says: /^network: 192\.168\.50\.0\/24 must not overlap .* \(found 192\.168\.50\.11\/24 on eth0\)\. Set /,
  },
  "a narrower route that leads nowhere": {
    by: "ip route add blackhole 10.2.5.0/24",
    undo: "ip route del blackhole 10.2.5.0/24",
    says: /^network: 10\.2\.0\.0\/16 must not overlap .* \(found the blackhole route to 10\.2\.5\.0\/24\)\. Set /,
  },
  "a rule for another table": {
    by: "ip route add default via 192.168.50.1 table 100 && ip rule add lookup 100 priority 200",
    undo: "ip rule del priority 200; ip route flush table 100",
    says: /^network: packets to 10\.2\.0\.0\/16 must be routed to the bridge by the main routing table \(found the route to 0\.0\.0\.0\/0 on eth0 in table 100, because of rule 200\)\. Add a rule before it \(ip rule add to 10\.2\.0\.0\/16 lookup main priority 199\), or set another network\.$/,
  },
  "a rule that leads nowhere": {
    by: "ip rule add to 10.2.3.0/24 prohibit priority 200",
    undo: "ip rule del priority 200",
    says: /^network: packets to 10\.2\.0\.0\/16 must be routed to the bridge .* \(found rule 200, prohibit\)\. Add a rule/,
  },
  "the network as this host's own": {
    by: "ip route add local 10.2.0.0/16 dev lo",
    undo: "ip route del local 10.2.0.0/16 dev lo table local",
    says: /^network: .* \(found the local route to 10\.2\.0\.0\/16 on lo in table local, because of rule 0\)\. Delete it, or set another network\.$/,
  },
  "a VXLAN with other flags on the port": {
    by: "ip link add vxlan_sys_4789 type vxlan external dstport 4789 && ip link set vxlan_sys_4789 up",
    undo: "ip link del vxlan_sys_4789",
    says: /^vxlan_port: UDP port 4789 must be free on this host \(found in use by vxlan_sys_4789, a VXLAN with other flags: external\)\. Set another vxlan_port on all hosts, or delete it \(ip link del vxlan_sys_4789\)\.$/,
  },
  "a VXLAN with another identifier and other flags, not up yet": {
    by: "ip link add other-vx type vxlan id 7 dstport 4789 gbp",
    undo: "ip link del other-vx",
    says: /^vxlan_port: .* \(found in use by other-vx, a VXLAN with other flags: gbp\)/,
  },
  "a process on the VXLAN's port": {
    by: LISTEN("udp4", "127.0.0.1"),
    undo: "systemctl stop listener",
    says: /^vxlan_port: UDP port 4789 must be free on this host \(found in use by node \(process \d+\)\)\. Set another vxlan_port on all hosts, or stop it\.$/,
  },
  "a process that listens there for both protocols": {
    by: LISTEN("udp6", "::"),
    undo: "systemctl stop listener",
    says: /^vxlan_port: .* \(found in use by node \(process \d+\)\)/,
  },
  "a name that is another one of a device": {
    by: "ip link property add dev eth0 altname weave",
    undo: "ip link property del dev eth0 altname weave",
    says: /^name: weave must be free on this host \(found it as another name of eth0\)\. /,
  },
  "a name that ifupdown gives a VLAN": {
    options: { name: "eth0.7" },
    says: /^name: must not be one that ifupdown gives a VLAN \(found eth0\.7 on a host that has eth0\)\. Set a name without a dot\.$/,
  },
  "the MAC address of another device": {
    by: "ip link set eth0 address 0e:5f:33:00:00:09",
    undo: "true",
    options: { mac: "0e:5f:33:00:00:09" },
    says: /^mac: 0e:5f:33:00:00:09 must belong to the bridge only \(found it on eth0\)\. /,
  },
  "a peer that is the underlay's broadcast address": {
    options: { peers: "192.168.50.12,192.168.50.255" },
    says: /^peers: a peer's address must be one that a host can have \(found 192\.168\.50\.255, the broadcast address of this host's network 192\.168\.50\.11\/24\)\. /,
  },
  "another stanza of the bridge": {
    by: "printf 'iface weave inet manual\n' > /etc/network/interfaces.d/bridges",
    undo: "rm /etc/network/interfaces.d/bridges",
    says: /^name: only this module may configure weave at boot \(found "iface weave inet manual" in \/etc\/network\/interfaces\.d\/bridges, line 1\)\. Remove it there, or set another name\.$/,
  },
  "another bridge that has the VXLAN as its port": {
    by: "printf '\nauto br0\niface br0 inet manual\n  bridge_ports weave-vx\n' > /etc/network/interfaces.d/bridges",
    undo: "rm /etc/network/interfaces.d/bridges",
    says: /^name: only this module may configure weave-vx at boot \(found "bridge_ports weave-vx" in \/etc\/network\/interfaces\.d\/bridges, line 4\)/,
  },
  "/etc/network/interfaces as a link to nowhere": {
    by: "mv /etc/network/interfaces /etc/network/away; ln -s /srv/interfaces /etc/network/interfaces",
    undo: "mv /etc/network/away /etc/network/interfaces",
    says: /^provider: ifupdown needs \/etc\/network\/interfaces \(found a link to \/srv\/interfaces, which does not exist\)\. /,
  },
  "an underlay device that is not there": {
    options: { underlay: "eth7" },
    says: /^underlay: must be a device with an IPv4 address on this host, or such an address \(found "eth7", which is none of this host's: eth0 192\.168\.50\.11\/24.*\)\. Set the device or address by which the peers reach this host\.$/,
  },
  "a peer that nobody knows": {
    options: { peers: "apollo2,apollo3" },
    says: /^peers: a peer's name must resolve to another host's IPv4 address on this host, apollo1 \(found none for "apollo3"\)\. Set its address, or add the name to DNS or to this host's \/etc\/hosts\.$/,
  },
  "another host's name at this host's loopback": {
    by: "cp /etc/hosts /etc/away && echo 127.0.1.1 apollo3 >> /etc/hosts",
    undo: "mv /etc/away /etc/hosts",
    options: { peers: "apollo2,apollo3" },
    says: /^peers: .* \(found 127\.0\.1\.1 for "apollo3"\)\. Set its address, /,
  },
  "another host's name as the underlay": {
    options: { underlay: "apollo2" },
    says: /^underlay: must be a device .* \(found "apollo2" at 192\.168\.50\.12, which is none of this host's: eth0 /,
  },
  "a device with that name that is not a bridge": {
    by: "ip link add weave type veth peer name evaew",
    undo: "ip link del weave",
    says: /^name: must be a bridge, .* \(found another kind of device, weave\)\. Delete it \(ip link del weave\), or set another name\.$/,
  },
  "a directory where the file has to be": {
    by: `mkdir ${STANZA}`,
    undo: `rmdir ${STANZA}`,
    says: /^\/etc\/network\/interfaces\.d\/weave\.cfg: must be a regular file \(found a directory\)\. Move it away and run again\.$/,
  },
  "a provider that does not run here": {
    options: { provider: "networkd" },
    says: /^provider: systemd-networkd must run on this host \(found it stopped\)\. Run it \(systemctl enable --now systemd-networkd\), or set provider: systemd\.$/,
  },
  "ifupdown without its file": {
    by: "mv /etc/network/interfaces /etc/network/away",
    undo: "mv /etc/network/away /etc/network/interfaces",
    options: { provider: "ifupdown" },
    says: /^provider: ifupdown must be installed on this host \(found no ifup, or no \/etc\/network\/interfaces\)\. Install it .*, or set provider: systemd\.$/,
  },
  "a full disk": {
    by: "mount -t tmpfs -o size=4k tmpfs /etc/network/interfaces.d && echo full > /etc/network/interfaces.d/full",
    undo: "umount /etc/network/interfaces.d",
    says: /^\/etc\/network\/interfaces\.d\/weave\.cfg: can't be written \(found ENOSPC: no space left on device; it is unchanged\)\. Free space on its file system and run again\.$/,
  },
};

for (const [name, { by = "true", undo = "true", options, says }] of Object.entries(REJECTIONS)) {
  test(`${name}: rejected, and nothing is changed`, async () => {
    await host.exec(["sh", "-c", by]);
    const before = await fingerprint(host);
    const result = await bridge(options);
    assert.equal(differences(before, await fingerprint(host)), []);
    await host.exec(["sh", "-c", undo]);
    assert.is(result.failed, true);
    assert.match(result.msg ?? "", says);
  });
}

/** The module's rejections of what the role passes on, by the role's variables. */
const BY_ROLE: Rejections = {
  "an underlay address that is not the host's": {
    vars: { weave_underlay_address: "192.168.50.77" },
    says: /^weave_underlay_address: must be a device .* \(found "192\.168\.50\.77", which is none of this host's: eth0 192\.168\.50\.11\/24/,
  },
};

test("by the role's variables: rejected by the first module, and nothing is changed", async () => {
  const before = await fingerprint(host);
  const inventory = join(cluster.directory, "rejections.json");
  writeFileSync(inventory, rejectionsInventory(BY_ROLE, { ansible_host: host.address, weave_datapath: "vxlan" }));
  const run = await ansiblePlaybook(cluster.inventory, ["-i", inventory, "tests/e2e/plays/rejections.yml"]);
  for (const [name, rejection] of Object.entries(BY_ROLE)) {
    assertRejected(run, name, rejection, [...PREFLIGHT, "weave_bridge"]);
  }
  const overlap = ["--limit", host.name, "--extra-vars", "weave_datapath=vxlan weave_network=192.168.0.0/16"];
  const site = await ansiblePlaybook(cluster.inventory, ["site.yml", ...overlap]);
  assert.is(site.status, 2, site.output);
  assert.match(
    Object.values(failures(site))[0] ?? site.output,
    /^weave_network: 192\.168\.0\.0\/16 must not overlap .* \(found 192\.168\.50\.11\/24 on eth0\)\. Set /,
  );
  assert.equal(differences(before, await fingerprint(host)), []);
});

test("not root: said before anything else", async () => {
  const argv = ["setpriv", "--reuid=nobody", "--clear-groups", "apollo-weave", "bridge", "--json", "--host-index=1"];
  const { stdout } = await host.exec(argv, { check: false });
  const { msg } = JSON.parse(stdout) as CommandResult;
  assert.is(msg, "bridge: must run as root to change this host (found user id 65534). Run it with sudo.");
  const check = await host.exec([...argv, "--check"], { check: false });
  assert.is(
    (JSON.parse(check.stdout) as CommandResult).msg,
    "weave_bridge: must run as root (found user id 65534). Run it as root (become: true).",
  );
});

test("the host itself among its peers: left out, without a warning", async () => {
  const { diff = [], warnings } = await bridge({ peers: "192.168.50.11,192.168.50.12" }, "--check");
  const stanza = diff.find(({ after_header }) => after_header === STANZA)?.after ?? "";
  assert.equal([[...stanza.matchAll(/ dst (\S+)/g)].map(([, peer]) => peer), warnings], [["192.168.50.12"], undefined]);
});

test("a default route in halves, as VPN clients make it, is not in the way", async () => {
  await host.exec(["sh", "-c", "ip route add 0.0.0.0/1 via 192.168.50.1; ip route add 128.0.0.0/1 via 192.168.50.1"]);
  const result = await bridge({}, "--check");
  await host.exec(["sh", "-c", "ip route del 0.0.0.0/1; ip route del 128.0.0.0/1"]);
  assert.not(result.failed, result.msg);
});

test("what only seems to be in the way is not", async () => {
  const harmless: readonly (readonly [by: string, undo: string, options?: Record<string, string>])[] = [
    ["ip route add unreachable 10.0.0.0/8", "ip route del unreachable 10.0.0.0/8"],
    [
      "ip route add default via 192.168.50.1 table 100; ip rule add from 192.168.50.99 lookup 100 priority 200; ip rule add fwmark 1 lookup 100 priority 201",
      "ip rule del priority 200; ip rule del priority 201; ip route flush table 100",
    ],
    ["ip link add vx6 type vxlan id 7 dstport 4789 local fd00::1 gbp", "ip link del vx6"],
    [LISTEN("udp6", "::1"), "systemctl stop listener"],
    [
      "cp /etc/hosts /etc/away; echo 192.168.50.12 my_host >> /etc/hosts",
      "mv /etc/away /etc/hosts",
      { peers: "my_host" },
    ],
  ];
  for (const [by, undo, options = {}] of harmless) {
    await host.exec(["sh", "-c", by]);
    const made = await bridge(options);
    const again = await bridge(options);
    const gone = await bridge({ state: "absent" });
    await host.exec(["sh", "-c", undo]);
    assert.equal([made.msg, again.changed, gone.msg], [undefined, false, undefined], by);
  }
});

test("the host's own address on the underlay is used, not one that moves from host to host", async () => {
  await host.exec([
    "sh",
    "-c",
    "ip addr flush dev eth0; ip addr add 192.168.50.200/32 dev eth0; ip addr add 192.168.50.11/24 dev eth0; ip route add default via 192.168.50.1",
  ]);
  const { diff = [], msg } = await bridge({}, "--check");
  await host.exec(["ip", "addr", "del", "192.168.50.200/32", "dev", "eth0"]);
  assert.match(`${msg}${JSON.stringify(diff)}`, "dstport 4789 local 192.168.50.11");
});

test("kernel settings that the bridge's changes need are shown, and go with the bridge", async () => {
  const conf = "/proc/sys/net/ipv4/conf";
  await host.exec(["sh", "-c", `echo 0 | tee ${conf}/all/promote_secondaries ${conf}/default/promote_secondaries`]);
  await bridge({ "docker-subnet": "10.2.9.0/24" });
  const moved = await bridge({ address: "10.2.0.9/16", "docker-subnet": "10.2.9.0/24", mac: "0e:5f:33:00:00:07" });
  assert.equal(subjects(moved), [
    STANZA,
    "bridge weave: arp_notify",
    "bridge weave: mac",
    "bridge weave: promote_secondaries",
    "bridge weave: address",
  ]);
  await bridge({ state: "absent" });
  const { stdout } = await host.exec(["sh", "-c", `ls ${conf}`]);
  assert.not.match(stdout, "weave");
});

test("files that are not UTF-8: what is not the module's is kept to the byte", async () => {
  const own = Buffer.from("# Br\xfccke \xff\xfe\nauto lo\niface lo inet loopback", "latin1");
  const debian = await host.read("/etc/network/interfaces");
  await host.write("/etc/network/interfaces", own);
  await host.write(STANZA, Buffer.from("# \xfc\xff\n", "latin1"));
  const made = await bridge();
  assert.not(made.failed, made.msg);
  const { stdout } = await host.exec(["sh", "-c", "tail -c +0 /etc/network/interfaces | od -An -tx1 | tr -d ' \\n'"]);
  assert.ok(stdout.endsWith(own.toString("hex")), stdout);
  assert.equal(subjects(await bridge()), []);
  await bridge({ state: "absent" });
  await host.write("/etc/network/interfaces", debian);
});

test("an index that another host holds: rejected where that host answers", async () => {
  const other = cluster.host("apollo2");
  const two = await runCommand(other, "bridge", { ...OPTIONS, "host-index": 2, peers: "192.168.50.11" });
  const one = await bridge();
  assert.not(one.failed ?? two.failed, `${one.msg} ${two.msg}`);
  const before = await fingerprint(host);
  const result = await bridge({ "host-index": 2 });
  assert.is(
    result.msg,
    `address: must not be in use by another host (found 10.2.0.2 at the MAC address ${two["mac"]}). Give each host its own host_index or address.`,
  );
  // Who is where on the segment is learnt from every frame.
  const changed = differences(before, await fingerprint(host)).filter(
    (line) => !/ dev weave-vx (dst|master)/.test(line),
  );
  assert.equal(changed, []);
});

test.run();
