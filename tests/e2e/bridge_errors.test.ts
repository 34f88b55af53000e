import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { type CommandResult, installCommand, runCommand, subjects } from "./command";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { ansiblePlaybook } from "./playbook";
import { assertRefused, PREFLIGHT, type Refusals, refusalsInventory } from "./refusals";

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

interface Refused {
  /** What the host is like, and what makes it as it was. */
  readonly by?: string;
  readonly undo?: string;
  readonly options?: Record<string, string | number>;
  readonly says: RegExp;
}
const REFUSALS: Readonly<Record<string, Refused>> = {
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
  "an underlay device that is not there": {
    options: { underlay: "eth7" },
    says: /^underlay: must be a device with an IPv4 address on this host, or such an address \(found "eth7"; this host has eth0 192\.168\.50\.11\/24.*\)\. Set the device or address by which the peers reach this host\.$/,
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
    says: /^underlay: must be a device .* \(found "apollo2" at 192\.168\.50\.12; this host has eth0 /,
  },
  "a device with that name that is not a bridge": {
    by: "ip link add weave type veth peer name evaew",
    undo: "ip link del weave",
    says: /^name: must be a bridge, .* \(found another kind of interface weave on this host\)\. Delete it \(ip link del weave\), or set another name\.$/,
  },
  "a folder where the file has to be": {
    by: `mkdir ${STANZA}`,
    undo: `rmdir ${STANZA}`,
    says: /^\/etc\/network\/interfaces\.d\/weave\.cfg is not a regular file; move it away\.$/,
  },
  "a provider that does not run here": {
    options: { provider: "networkd" },
    says: /^provider: systemd-networkd must run on this host \(found it stopped\)\. Run it \(systemctl enable --now systemd-networkd\), or set ifupdown\.$/,
  },
  "a host that nothing manages": {
    by: "mv /etc/network/interfaces /etc/network/away",
    undo: "mv /etc/network/away /etc/network/interfaces",
    says: /^provider: needs ifupdown or systemd-networkd on this host, .*\(found neither\)\. Install ifupdown \(apt install ifupdown\), or run systemd-networkd/,
  },
  "a full disk": {
    by: "mount -t tmpfs -o size=4k tmpfs /etc/network/interfaces.d && echo full > /etc/network/interfaces.d/full",
    undo: "umount /etc/network/interfaces.d",
    says: /^\/etc\/network\/interfaces\.d\/weave\.cfg: can't write \/etc\/network\/interfaces\.d\/weave\.cfg: ENOSPC: no space left on device; it is unchanged\. Free space on its file system and run again\.$/,
  },
};

for (const [name, { by = "true", undo = "true", options, says }] of Object.entries(REFUSALS)) {
  test(`${name}: refused, and nothing is changed`, async () => {
    await host.exec(["sh", "-c", by]);
    const before = await fingerprint(host);
    const result = await bridge(options);
    assert.equal(differences(before, await fingerprint(host)), []);
    await host.exec(["sh", "-c", undo]);
    assert.is(result.failed, true);
    assert.match(result.msg ?? "", says);
  });
}

/** The module's refusals of what the role passes on, by the role's variables. */
const BY_ROLE: Refusals = {
  "a peer that is neither address nor name": {
    vars: { weave_launch_peers: ["192.168.50.12", "192.168.50.300"] },
    says: /^peers: must be an IPv4 address or a host name \(found "192\.168\.50\.300"\)\. Write it as /,
  },
  "a subnet outside the bridge's network": {
    vars: { weave_docker_subnet: "10.3.1.0/24" },
    says: /^docker_subnet: must be in the bridge's network 10\.2\.0\.0\/16 \(found 10\.3\.1\.0\/24\)\. Set a subnet of that network\.$/,
  },
  "an index that does not fit": {
    vars: { weave_host_index: 300 },
    says: /^host_index: 300 does not fit into the network \(found 10\.2\.0\.0\/16, which has room for 254 hosts .*such as 10\.2\.0\.0\/15\.$/,
  },
  "an underlay address that is not the host's": {
    vars: { weave_underlay_address: "192.168.50.77" },
    says: /^underlay: must be a device .* \(found "192\.168\.50\.77"; this host has eth0 192\.168\.50\.11\/24/,
  },
};

test("by the role's variables: refused by the first module, and nothing is changed", async () => {
  const before = await fingerprint(host);
  const inventory = join(cluster.directory, "refusals.json");
  writeFileSync(inventory, refusalsInventory(BY_ROLE, { ansible_host: host.address, weave_datapath: "vxlan" }));
  const run = await ansiblePlaybook(cluster.inventory, ["-i", inventory, "tests/e2e/plays/refusals.yml"]);
  for (const [name, refusal] of Object.entries(BY_ROLE)) {
    assertRefused(run, name, refusal, [...PREFLIGHT, "weave_bridge"]);
  }
  const overlap = ["--limit", host.name, "--extra-vars", "weave_datapath=vxlan weave_network=192.168.0.0/16"];
  const site = await ansiblePlaybook(cluster.inventory, ["site.yml", ...overlap]);
  assert.is(site.status, 2, site.output);
  assert.match(
    site.results.find(({ outcome }) => outcome === "failed")?.result.msg ?? site.output,
    /^network: 192\.168\.0\.0\/16 must not overlap .* \(found 192\.168\.50\.11\/24 on eth0\)\. Set /,
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

test("the host itself among its peers: left out, quietly", async () => {
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

test("files that are no UTF-8: what is not the module's is kept to the byte", async () => {
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

test("an index that another host holds: refused where that host answers", async () => {
  const other = cluster.host("apollo2");
  const two = await runCommand(other, "bridge", { ...OPTIONS, "host-index": 2, peers: "192.168.50.11" });
  const one = await bridge();
  assert.not(one.failed ?? two.failed, `${one.msg} ${two.msg}`);
  const before = await fingerprint(host);
  const result = await bridge({ "host-index": 2 });
  assert.is(
    result.msg,
    `address: must not be in use by another host (found 10.2.0.2 at the hardware address ${two["mac"]}). Give each host its own host_index or address.`,
  );
  // Who is where on the segment is learnt from every frame.
  const changed = differences(before, await fingerprint(host)).filter(
    (line) => !/ dev weave-vx (dst|master)/.test(line),
  );
  assert.equal(changed, []);
});

test.run();
