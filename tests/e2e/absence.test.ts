import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { type CommandResult, installCommand, runCommand, subjects } from "./command";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { setUpNetworkManager, underNothing } from "./network_manager";
import { underNetworkd } from "./networkd";

/** state: absent leaves nothing of what state: present made, whatever the host was like before. */
const test = suite("weave_bridge: state absent, and the switch of datapaths");
let cluster: Cluster;
let host: Host;
const OPTIONS = { "host-index": 1, datapath: "vxlan", underlay: "eth0", peers: "192.168.50.12" };
const present = (more: object = {}): Promise<CommandResult> => runCommand(host, "bridge", { ...OPTIONS, ...more });
const absent = (...more: string[]): Promise<CommandResult> =>
  runCommand(host, "bridge", { ...OPTIONS, state: "absent" }, more);

test.before(async () => {
  cluster = await bootHosts(1);
  host = cluster.host("apollo1");
  await installCommand([host]);
});
test.after(() => cluster.down());

/** Copies of the module's rule, as `iptables-restore --noflush` of saved rules adds them. */
const RULE = "FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT";

/** Makes the bridge, looks that something is there, removes it. Fails where anything differs from before. */
async function assertCreatedAndRemoved(): Promise<void> {
  const before = await fingerprint(host);
  const made = await present();
  assert.not(made.failed, made.msg);
  assert.equal(subjects(await present()), []);
  assert.ok(differences(before, await fingerprint(host)).length > 0);

  const predicted = await absent("--check");
  const removed = await absent();
  assert.not(removed.failed, removed.msg);
  assert.equal(removed, predicted);
  assert.equal(differences(before, await fingerprint(host)), []);
  assert.is((await absent()).changed, false);
}

test("on a Debian host, nothing is left", assertCreatedAndRemoved);

test("a host that reads no *.cfg, with bytes that are not UTF-8 and no newline at the end", async () => {
  const own = Buffer.from("# Br\xfccke\nsource-directory interfaces.d\nauto lo\niface lo inet loopback", "latin1");
  const debian = await host.read("/etc/network/interfaces");
  await host.write("/etc/network/interfaces", own);
  await assertCreatedAndRemoved();
  await host.write("/etc/network/interfaces.d/other.cfg", "auto eth7\niface eth7 inet dhcp\n");
  await assertCreatedAndRemoved();
  await present();
  const { stdout: read } = await host.exec(["ifquery", "--list"]);
  assert.equal(read.trim().split("\n").sort(), ["lo", "weave"], "no other file was brought to life");
  await absent();
  await host.exec(["rm", "/etc/network/interfaces.d/other.cfg"]);
  await host.write("/etc/network/interfaces", debian);
});

test("copies of the iptables rule stay while the rule stays, and are removed together", async () => {
  const addCopies = (): Promise<unknown> =>
    host.exec([
      "sh",
      "-c",
      `iptables -A ${RULE}; printf '*filter\\n-A ${RULE}\\nCOMMIT\\n' | iptables-restore --noflush`,
    ]);
  const before = await fingerprint(host);
  await present();
  await addCopies();
  assert.equal(subjects(await present()), []);
  assert.equal(subjects(await present({ firewall: "off" })).at(-1), "bridge weave: frames between its ports");
  assert.equal(subjects(await present({ firewall: "off" })), []);
  await present({ firewall: "check" });
  await addCopies();
  const removed = await absent();
  assert.not(removed.failed, removed.msg);
  assert.equal(differences(before, await fingerprint(host)), []);
});

test("the switch between the datapaths is planned and made like any change", async () => {
  const router = { "host-index": 1, datapath: "router" };
  await present();
  for (const [options, live] of [
    [router, ["bridge weave: mtu", "bridge weave: datapath"]],
    [OPTIONS, ["bridge weave: mtu", "bridge weave: port of the Weave router", "bridge weave: datapath"]],
  ] as const) {
    const predicted = await runCommand(host, "bridge", options, ["--check"]);
    const made = await runCommand(host, "bridge", options);
    assert.not(made.failed, made.msg);
    assert.equal(made, predicted);
    assert.equal(subjects(made), ["/etc/network/interfaces.d/weave.cfg", ...live]);
    assert.equal(subjects(await runCommand(host, "bridge", options)), []);
    if (options === router) {
      await host.exec(["ip", "link", "add", "vethwe-bridge", "type", "veth", "peer", "name", "vethwe-pcap"]);
      await host.exec(["ip", "link", "set", "vethwe-bridge", "master", "weave"]);
    }
  }
  assert.match(await host.exec(["ls", "/sys/class/net/weave/brif"]).then(({ stdout }) => stdout), /^weave-vx\n$/);
  await absent();
});

test("where NetworkManager runs, it is configured not to manage the bridge", async () => {
  await setUpNetworkManager(host);
  await host.exec(["systemctl", "daemon-reload"]);
  await host.exec(["systemctl", "start", "NetworkManager"]);
  const states = async (): Promise<string[]> =>
    (await host.exec(["nmcli", "--terse", "--fields", "DEVICE,STATE", "device"])).stdout
      .split("\n")
      .filter((line) => line.startsWith("weave"))
      .sort();
  const made = await present();
  assert.equal(subjects(made)[0], "/etc/NetworkManager/conf.d/weave-bridge.conf");
  assert.equal(await states(), ["weave-vx:unmanaged", "weave:unmanaged"]);
  await host.exec(["systemctl", "restart", "NetworkManager"]);
  assert.equal(await states(), ["weave-vx:unmanaged", "weave:unmanaged"]);
  assert.equal(subjects(await present()), []);
  await absent();
  await assertCreatedAndRemoved();
  await host.exec(["systemctl", "stop", "NetworkManager"]);
});

test("rejected while containers are attached, unless forced", async () => {
  await present();
  await runCommand(host, "docker-opts", { bridge: "weave", "fixed-cidr": "10.2.1.0/24" });
  await host.exec(["systemctl", "restart", "docker"]);
  await host.exec(["docker", "run", "--detach", "--rm", "--stop-timeout=1", await busyboxImage(host), "sleep", "1000"]);
  const before = await fingerprint(host);
  const rejected = await absent();
  assert.match(rejected.msg ?? "", /^bridge weave: must have no containers .* \(found 1 port: veth.*force: true\.$/);
  assert.equal(differences(before, await fingerprint(host)), []);
  const forced = await absent("--force");
  assert.not(forced.failed, forced.msg);
  assert.match(forced.disruptions?.join("\n") ?? "", /^the network of the attached ports: veth/m);
  await host.write("/etc/default/docker", "");
  // Docker 26.1.5 keeps the network whose bridge was deleted, and sets the MTU of the next one to 1500 whenever it starts.
  const forget = "systemctl stop docker; rm /var/lib/docker/network/files/local-kv.db; systemctl start docker";
  await host.exec(["sh", "-c", forget]);
});

test("on a host under systemd-networkd, nothing is left", async () => {
  await underNetworkd(host);
  await assertCreatedAndRemoved();
});

test("after a move from ifupdown to systemd-networkd, exactly one provider creates the bridge at boot", async () => {
  // As a host that has both: ifupdown is used only if it will start at boot.
  await host.exec(["systemctl", "unmask", "networking.service"]);
  await present({ provider: "ifupdown" });
  const made = await present({ provider: "auto" });
  assert.is(made["provider"], "networkd");
  assert.ok(subjects(made).includes("/etc/network/interfaces.d/weave.cfg"));
  assert.equal(subjects(await present()), []);
});

/** What the kernel has of the bridge. */
const LIVE =
  "ip -o link show weave; ip -o link show weave-vx; ip -d link show weave-vx | grep vxlan; ip -o -4 addr show weave; " +
  "bridge fdb show dev weave-vx";

test("from each provider to each other: just one creates the bridge at boot, and the bridge and its address stay", async () => {
  const first = await present({ provider: "ifupdown" });
  assert.not(first.failed, first.msg);
  const again = await present({ provider: "ifupdown" });
  assert.equal(subjects(again), [], JSON.stringify(again.diff));
  const live = async (): Promise<string> => (await host.exec(["sh", "-c", LIVE])).stdout;
  const [before, files] = [await live(), /^[^\n]*(weave|docker\.service)[^\n]*$/gm];
  const ofProvider = new Map<string, string[] | null>();
  await host.exec([
    "systemd-run",
    "--quiet",
    "--unit=monitor",
    "sh",
    "-c",
    "exec ip -4 monitor addr link >/run/monitor",
  ]);
  for (const provider of ["systemd", "ifupdown", "networkd", "systemd", "networkd", "ifupdown"]) {
    const predicted = await runCommand(host, "bridge", { ...OPTIONS, provider }, ["--check"]);
    const made = await present({ provider });
    assert.not(made.failed, made.msg);
    assert.equal(made, predicted);
    const repeated = await present({ provider });
    assert.equal(subjects(repeated), [], JSON.stringify(repeated.diff));
    assert.is(await live(), before, provider);
    const { stdout } = await host.exec(["sh", "-c", "find /etc /run/network /run/weave* ! -name '*.json' | sort"], {
      check: false,
    });
    const found: string[] | null = stdout.match(files);
    assert.equal(found, ofProvider.get(provider) ?? found, `${provider} leaves as much as the first time`);
    ofProvider.set(provider, found);
  }
  await host.exec(["systemctl", "stop", "monitor"]);
  const { stdout: seen } = await host.exec(["cat", "/run/monitor"]);
  assert.not.match(seen, /^Deleted \d+: \S+: |state DOWN/m);
  // It may have another prefix for a moment, while systemd-networkd releases it.
  const addresses = new Set(["10.2.0.1/16"]);
  for (const [, deleted, address = ""] of seen.matchAll(/^(Deleted )?\d+: weave +inet (10\.2\.0\.1\/\d+) /gm)) {
    if (deleted === undefined) addresses.add(address);
    else addresses.delete(address);
    assert.ok(addresses.size > 0, seen);
  }
  await absent();
});

test("a host whose network nothing manages, and nothing is left; a reboot brings the bridge back", async () => {
  await underNothing(host);
  await assertCreatedAndRemoved();
  const made = await present();
  assert.is(made["provider"], "systemd");
  const live = async (): Promise<string> =>
    (await host.exec(["sh", "-c", "ip -o -4 addr show weave; bridge fdb show dev weave-vx | grep ^00"])).stdout.replace(
      /^\d+:/,
      "",
    );
  const before = await live();
  await host.reboot();
  assert.is(await live(), before);
  const again = await present();
  assert.equal(subjects(again), [], JSON.stringify(again.diff));
});

test.run();
