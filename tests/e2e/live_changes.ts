import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { type CommandResult, installCommand, runCommand, subjects } from "./command";
import { bootHosts } from "./hosts";
import { underNetworkd } from "./networkd";
import { intoContainer, startPings } from "./pings";
import { findServices, type Service, startServices } from "./services";

const FILES = {
  ifupdown: ["/etc/network/interfaces.d/weave.cfg"],
  networkd: {
    bridge: "/etc/systemd/network/05-weave.netdev",
    network: "/etc/systemd/network/05-weave.network",
    vxlan: "/etc/systemd/network/05-weave-vx.network",
  },
};

const APOLLO = `auto weave
iface weave inet manual
  pre-up /usr/local/bin/weave create-bridge
  post-up ip addr add dev weave 10.2.0.1/16
  pre-down ifconfig weave down
  post-down brctl delbr weave
`;

/** Tests every change of a live bridge, with containers attached and pings under way, on a host under this provider. */
export function testLiveChanges(provider: "ifupdown" | "networkd"): void {
  const test = suite(`live changes under ${provider}`);
  let cluster: Cluster;
  let host: Host;
  let near: Service;
  let far: Service;
  const options: Record<string, string | number> = { datapath: "vxlan", underlay: "eth0" };
  const bridge = (more: Record<string, string | number> = {}, ...flags: string[]): Promise<CommandResult> =>
    runCommand(host, "bridge", { ...options, ...more }, flags);

  test.before(async () => {
    cluster = await bootHosts(2);
    host = cluster.host("apollo1");
    await installCommand(cluster.hosts);
    if (provider === "networkd") await underNetworkd(host);
    for (const each of cluster.hosts) {
      const peers = cluster.hosts.map(({ name }) => name).join(",");
      const made = await runCommand(each, "bridge", { ...options, "host-index": each.number, peers });
      assert.not(made.failed, made.msg);
      assert.is(made["provider"], each === host ? provider : "ifupdown");
      const { docker_subnet, mtu } = made as CommandResult & { docker_subnet: string; mtu: number };
      await runCommand(each, "docker-opts", { bridge: "weave", "fixed-cidr": docker_subnet, mtu });
      await each.exec(["systemctl", "restart", "docker"]);
    }
    Object.assign(options, { "host-index": 1, peers: "192.168.50.11,192.168.50.12" });
    await startServices(cluster, 1);
    const services = await findServices(cluster, 1);
    assert.is(services.length, 2);
    [near, far] = services as [Service, Service];
  });
  test.after(() => cluster.down());

  /** Whether a packet from one host's container reaches the other's. */
  const passes = async (): Promise<boolean> => {
    const enter = await intoContainer(near.host, near.name);
    const argv = [...enter, "ping", "-c", "1", "-W", "1", far.address];
    return (await near.host.exec(argv, { check: false })).status === 0;
  };

  test("what has just been made is as it is wanted", async () => {
    assert.equal(subjects(await bridge()), []);
  });

  interface LiveChange {
    /** What is done to the host beforehand. */
    readonly by?: string;
    readonly options?: Record<string, string | number>;
    readonly subjects: readonly string[];
    readonly files?: readonly string[];
  }
  const [netdev, network, vxlan, stanza] = [
    FILES.networkd.bridge,
    FILES.networkd.network,
    FILES.networkd.vxlan,
    ...FILES.ifupdown,
  ];
  const file = (...networkd: string[]): string[] => (provider === "networkd" ? networkd : [stanza ?? ""]);
  const CHANGES: Readonly<Record<string, LiveChange>> = {
    "another address": { options: { "host-index": 3 }, subjects: ["bridge weave: address"], files: file(network) },
    "the first one again": { subjects: ["bridge weave: address"], files: file(network) },
    "another network": {
      options: { network: "10.4.0.0/16" },
      subjects: ["bridge weave: address"],
      files: file(network),
    },
    "the first network again": { subjects: ["bridge weave: address"], files: file(network) },
    "another MTU": {
      options: { mtu: 1400 },
      subjects: ["bridge weave: mtu", "weave-vx: mtu"],
      files: file(network, vxlan),
    },
    "another hardware address": {
      options: { mtu: 1400, mac: "0e:5f:33:00:00:99" },
      subjects: ["bridge weave: mac"],
      files: file(netdev),
    },
    "the first MTU and hardware address again": {
      subjects: ["bridge weave: mac", "bridge weave: mtu", "weave-vx: mtu"],
      files: file(netdev, network, vxlan),
    },
    "two peers more": {
      options: { peers: "192.168.50.12,192.168.50.13,192.168.50.14" },
      subjects: ["bridge weave: peers"],
      files: file(vxlan),
    },
    "two peers less, all by name, with this host's own at the loopback": {
      by: "sed -i 's/^[^ ]* apollo1$/127.0.1.1 apollo1/' /etc/hosts",
      options: { underlay: "apollo1", peers: "apollo1,apollo2" },
      subjects: ["bridge weave: peers"],
      files: file(vxlan),
    },
    "a file of Apollo's": {
      by: `printf '%s' '${APOLLO}' > /etc/network/interfaces.d/weave.cfg`,
      subjects: [],
      files: [stanza ?? ""],
    },
    "an address too many": { by: "ip addr add 10.2.0.99/16 dev weave", subjects: ["bridge weave: address"] },
    "no address": { by: "ip addr flush dev weave", subjects: ["bridge weave: address"] },
    "the firewall closed": {
      by: "iptables -w -D FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT",
      subjects: ["bridge weave: frames between its ports"],
    },
    "the link right and the file wrong": {
      by: `echo '# mine' >> ${file(network)[0]}`,
      subjects: [],
      files: file(network),
    },
  };

  for (const [name, { by, options: more, subjects: live, files = [] }] of Object.entries(CHANGES)) {
    test(`${name}: as predicted, by just that, and no ping is lost`, async () => {
      if (by !== undefined) await host.exec(["sh", "-c", by]);
      const predicted = await bridge(more, "--check");
      const pings = await Promise.all([
        startPings(near.host, far.address, near.name),
        startPings(far.host, near.address, far.name),
        startPings(far.host, near.address),
      ]);
      const made = await bridge(more);
      const answers = await Promise.all(pings.map((each) => each.end()));
      assert.not(made.failed, made.msg);
      assert.equal(made, predicted);
      assert.equal(subjects(made).sort(), [...live, ...files].sort());
      assert.equal(subjects(await bridge(more)), []);
      for (const { answered, lost, doubled } of answers) {
        assert.ok(answered > 5, `${answered} answers`);
        assert.equal({ lost, doubled }, { lost: [], doubled: [] });
      }
    });
  }

  if (provider === "networkd") {
    test("a restart of systemd-networkd, as netplan apply makes, loses no ping and changes nothing", async () => {
      const pings = await startPings(near.host, far.address, near.name);
      await host.exec(["systemctl", "restart", "systemd-networkd"]);
      await host.exec(["/lib/systemd/systemd-networkd-wait-online", "--interface=weave", "--timeout=30"]);
      const { answered, lost } = await pings.end();
      assert.ok(answered > 5, `${answered} answers`);
      assert.equal(lost, []);
      assert.equal(subjects(await bridge()), []);
    });
  }

  test("what a hand has broken is mended by just what it needs", async () => {
    // systemd-networkd puts a port of its own back by itself, at once.
    const portOff = provider === "networkd" ? [] : [["ip link set weave-vx nomaster", "weave-vx: bridge"] as const];
    for (const [by, subject] of [
      ...portOff,
      ["ip link set weave-vx down", "weave-vx: state"],
      ["ip link set weave down", "bridge weave: state"],
      ["ip link del weave-vx", "bridge weave: datapath"],
    ] as const) {
      await host.exec(by.split(" "));
      assert.equal(subjects(await bridge()), [subject]);
      assert.equal(subjects(await bridge()), []);
      assert.ok(await passes(), by);
    }
  });

  test("frames pass a FORWARD policy of DROP by the module's own rule, after a restart of Docker too", async () => {
    const { stdout: policy } = await host.exec(["sh", "-c", "iptables -w -S FORWARD | head -n 1"]);
    assert.is(policy, "-P FORWARD DROP\n", "Docker's");
    const without = (rule: string) =>
      host.exec(["sh", "-c", `iptables -w -D FORWARD -i weave -o weave ${rule} -j ACCEPT`]);
    await without(""); // Docker's own
    assert.ok(await passes());
    await without("-m comment --comment weave_bridge");
    const { stdout: shown } = await host.exec(["cat", "/proc/sys/net/bridge/bridge-nf-call-iptables"], {
      check: false,
    });
    assert.is(await passes(), shown !== "1\n", "the rule makes the difference where iptables sees bridged frames");
    assert.equal(subjects(await bridge()), ["bridge weave: frames between its ports"]);
    assert.ok(await passes());
    await host.exec(["systemctl", "restart", "docker"]);
    assert.equal(subjects(await bridge()), []);
  });

  test("after a reboot all is as it was, before Docker starts", async () => {
    const script =
      "ip -o link show dev weave; ip -o -4 addr show dev weave; bridge fdb show dev weave-vx | grep ^00:00; iptables -w -S FORWARD | grep weave_bridge";
    const look = async (): Promise<string> =>
      (await host.exec(["sh", "-c", script])).stdout.replace(/^\d+: |NO-CARRIER,|,LOWER_UP/gm, "");
    const before = await look();
    await host.reboot();
    assert.is(await look(), before);
    const { stdout: restarts } = await host.exec(["systemctl", "show", "docker", "--property", "NRestarts"]);
    assert.is(restarts, "NRestarts=0\n", "Docker did not start in vain");
    assert.equal(subjects(await bridge()), []);
    const [again] = await findServices(cluster, 1);
    assert.match(again?.address ?? "", /^10\.2\.1\./);
    const pings = await startPings(far.host, again?.address ?? "", far.name);
    const { answered, lost } = await pings.end();
    assert.ok(answered > 2 && lost.length === 0);
  });

  test.run();
}
