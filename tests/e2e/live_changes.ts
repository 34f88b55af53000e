import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { waitFor } from "../hosts/wait";
import { ALL, SEED } from "../runner/sample";
import { subjects } from "./command";
import { bootHosts } from "./hosts";
import { type Joined, joinByCommand, pingJoined } from "./joined";
import { liveChangeCases, type Provider } from "./live_change_cases";
import { underNetworkManager } from "./network_manager";
import { underNetworkd } from "./networkd";
import { intoContainer, startPings } from "./pings";
import { findServices, NEIGHBOURS_SECONDS, type Service } from "./services";

/** The provider that a run of a sample tries every change under; under the others it tries the first, and its way back. */
const CHOSEN: Provider = (["ifupdown", "networkd", "systemd"] as const)[SEED % 3] ?? "systemd";

/** How a host gets a provider that test hosts do not have by default. With only NetworkManager, systemd is chosen. */
const UNDER: Partial<Record<Provider, (host: Host) => Promise<void>>> = {
  networkd: underNetworkd,
  systemd: underNetworkManager,
};

/** Tests the changes of a live bridge, with containers attached and pings under way, on a host under this provider. */
export function testLiveChanges(provider: Provider): void {
  const test = suite(`live changes under ${provider}, TEST_SEED=${SEED}`);
  const every = Object.entries(liveChangeCases(provider));
  const cases = ALL || provider === CHOSEN ? every : every.slice(0, 2);
  let cluster: Cluster;
  let host: Host;
  let near: Service;
  let far: Service;
  let joined: Joined;
  const bridge: Joined["bridge"] = (...args) => joined.bridge(...args);

  test.before(async () => {
    cluster = await bootHosts(2);
    host = cluster.host("apollo1");
    await UNDER[provider]?.(host);
    joined = await joinByCommand(cluster);
    assert.equal(joined.providers, [provider, "ifupdown"]);
    ({ near, far } = joined);
  });
  test.after(() => cluster.down());

  /** Whether a packet from one host's container reaches the other's. */
  const passes = async (): Promise<boolean> => {
    const enter = await intoContainer(near.host, near.name);
    const argv = [...enter, "ping", "-c", "1", "-W", "1", far.address];
    return (await near.host.exec(argv, { check: false })).status === 0;
  };

  test("a second run changes nothing", async () => {
    assert.equal(subjects(await bridge()), []);
  });

  for (const [name, { by, options: more, subjects: live, files = [] }] of cases) {
    test(`${name}: as predicted, by just that, and no ping is lost`, async () => {
      if (by !== undefined) await host.exec(["sh", "-c", by]);
      const predicted = await bridge(more, "--check");
      const pings = await pingJoined(joined);
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

  test("manual changes are corrected, each by one change", async () => {
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
    // Docker's own is in another chain from 28 on.
    const { stdout: dockers } = await host.exec([
      "sh",
      "-c",
      `for chain in FORWARD DOCKER-FORWARD; do iptables -w -S $chain 2>/dev/null; done |
        grep -xE -e '-A [A-Z-]+ -i weave( -o weave)? -j ACCEPT' | sed 's/^-A/-D/' |
        while read -r rule; do iptables -w $rule && echo "$rule"; done`,
    ]);
    assert.match(dockers, /^-D .*\n$/);
    assert.ok(await passes());
    await host.exec([
      "sh",
      "-c",
      "iptables -w -D FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT",
    ]);
    const { stdout: shown } = await host.exec(["cat", "/proc/sys/net/bridge/bridge-nf-call-iptables"], {
      check: false,
    });
    assert.is(await passes(), shown !== "1\n", "the rule makes the difference where iptables sees bridged frames");
    assert.equal(subjects(await bridge()), ["bridge weave: frames between its ports"]);
    assert.ok(await passes());
    await host.exec(["systemctl", "restart", "docker"]);
    assert.equal(subjects(await bridge()), []);
  });

  if (provider === "systemd") {
    test("NetworkManager does not change the bridge, not even at its reload or restart, and no ping is lost", async () => {
      const pings = await startPings(near.host, far.address, near.name);
      await host.exec(["sh", "-c", "nmcli connection reload; nmcli general reload; systemctl restart NetworkManager"]);
      await host.exec(["nm-online", "--timeout=30", "--quiet"]);
      const { stdout } = await host.exec(["nmcli", "--terse", "--fields", "DEVICE,STATE", "device"]);
      const { lost } = await pings.end();
      const states = stdout.split("\n").filter((line) => /^(eth0|weave)/.test(line));
      assert.equal(states.sort(), ["eth0:connected", "weave-vx:unmanaged", "weave:unmanaged"]);
      assert.equal(lost, []);
      assert.equal(subjects(await bridge()), []);
    });

    test("a stopped or disabled unit is started or enabled, and no packet is lost by that", async () => {
      const unit = "weave-bridge.service";
      const pings = await startPings(near.host, far.address, near.name);
      await host.exec(["rm", `/etc/systemd/system/docker.service.requires/${unit}`]);
      assert.equal(subjects(await bridge()), [`${unit}: started by`]);
      // As after a start that failed halfway.
      await host.write(`/run/systemd/system/${unit}.d/fails.conf`, "[Service]\nExecStop=\nExecStop=false\n");
      await host.exec(["sh", "-c", `systemctl daemon-reload; systemctl disable ${unit}; systemctl stop ${unit}`]);
      await host.exec(["sh", "-c", `rm -r /run/systemd/system/${unit}.d; systemctl daemon-reload`]);
      assert.equal(subjects(await bridge()), [`${unit}: started by`, `${unit}: state`]);
      const { answered, lost } = await pings.end();
      assert.ok(answered > 2);
      assert.equal(lost, []);
      assert.equal(subjects(await bridge()), []);
    });

    test("a bridge that fails at boot is seen: Docker does not start without it", async () => {
      const drop = "/etc/systemd/system/weave-bridge.service.d/fails.conf";
      await host.write(drop, "[Unit]\nAssertPathExists=/nowhere\n");
      await host.exec(["sh", "-c", "systemctl daemon-reload; systemctl stop weave-bridge"]);
      const { stdout: ports } = await host.exec(
        ["sh", "-c", "ip -br link show weave 2>&1; systemctl is-active docker"],
        {
          check: false,
        },
      );
      assert.match(ports, /does not exist.*\s+inactive\n$/, "Docker stops with the bridge");
      const { status, stderr } = await host.exec(["systemctl", "start", "docker.service"], { check: false });
      assert.is.not(status, 0);
      assert.match(stderr, /dependency/i);
      const failed = await bridge();
      assert.match(
        failed.msg ?? "",
        /^bridge weave: systemctl start weave-bridge\.service: must succeed .*journalctl/s,
      );
      await host.exec(["sh", "-c", "rm -r /etc/systemd/system/weave-bridge.service.d; systemctl daemon-reload"]);
      assert.equal(subjects(await bridge()), ["bridge weave"]);
      await host.exec(["systemctl", "start", "docker.service"]);
      assert.equal(subjects(await bridge()), []);
    });
  }

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
    const address = again?.address ?? "";
    assert.match(address, /^10\.2\.1\./);
    const once = [...(await intoContainer(far.host, far.name)), "ping", "-c", "1", "-W", "1", address];
    await waitFor({
      what: "the restarted container to be reached",
      seconds: NEIGHBOURS_SECONDS,
      probe: async () => (await far.host.exec(once, { check: false })).status === 0,
    });
    const pings = await startPings(far.host, address, far.name);
    const { answered, lost } = await pings.end();
    assert.ok(answered > 2 && lost.length === 0);
  });

  test.run();
}
