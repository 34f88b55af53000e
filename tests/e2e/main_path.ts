import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { busyboxImage } from "../hosts/images";
import type { Suite } from "../hosts/suites";
import { printSuiteResult } from "../runner/suites";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { LIMITS, limitsOf } from "./limits";
import { runModule } from "./module";
import { disturbNetworkManager, underNetworkManager } from "./network_manager";
import { underNetworkd } from "./networkd";
import { assertNetworksApart } from "./networks_apart";
import { startPings } from "./pings";
import { ansiblePlaybook, ansibleVersion, CONTROLLERS, changedTasks, complaints, type PlaybookRun } from "./playbook";
import { assertPredicted } from "./prediction";
import { assertAllReached, NEIGHBOURS_SECONDS, startServices } from "./services";
import { sh } from "./shell";
import { withoutDisruption } from "./without_disruption";

const DROP_INS = "/etc/systemd/system/docker.service.d";

/** Tests the main path on hosts of a Debian suite: one under ifupdown, one under NetworkManager, one under systemd-networkd. */
export function testMainPath(debian: Suite): void {
  const ansible = CONTROLLERS[debian];
  const test = suite(`the main path on Debian ${debian}`);
  const passed: string[] = [];
  let count = 0;
  let cluster: Cluster;

  /** A test of the table in docs/support.md; "untested" is what this machine can't show. */
  const step = (name: string, doing: () => Promise<unknown>): void => {
    count++;
    test(name, async () => {
      if ((await doing()) !== "untested") passed.push(name);
    });
  };
  const play = async (...args: string[]): Promise<PlaybookRun> => {
    const vxlan = ["site.yml", "--diff", "--extra-vars", "weave_datapath=vxlan"];
    const run = await ansiblePlaybook(cluster.inventory, [...vxlan, ...args], { ansible });
    assert.is(run.status, 0, run.output);
    assert.equal(complaints(run), []);
    return run;
  };
  const everywhere = async (script: string): Promise<void> => {
    await Promise.all(cluster.hosts.map((host) => sh(host, script)));
  };
  const fingerprints = (): Promise<string[]> => Promise.all(cluster.hosts.map(fingerprint));
  const assertSame = (before: readonly string[], after: readonly string[]): void =>
    assert.equal(
      before.flatMap((text, index) => differences(text, after[index] ?? "")),
      [],
    );
  const everyPath = (seconds?: number): Promise<void> => assertAllReached(cluster, cluster, 2, seconds);

  test.before(async () => {
    cluster = await bootHosts(3, debian);
    await Promise.all([underNetworkManager(cluster.host("apollo2")), underNetworkd(cluster.host("apollo3"))]);
    // A package of its own from Debian 13 on, which not every host has.
    if (debian === "trixie") await everywhere("mv /usr/bin/docker /opt");
  });
  test.after(async () => {
    const docker = await sh(cluster.host("apollo1"), "docker version --format '{{.Server.Version}}'");
    const systemd = await sh(
      cluster.host("apollo1"),
      "systemctl --version | sed -n '1s/^systemd \\([0-9]*\\).*/\\1/p'",
    );
    printSuiteResult({ suite: debian, docker, systemd, ansible: await ansibleVersion(ansible), passed, of: count });
    await cluster.down();
  });

  step("a check on fresh hosts changes nothing, and the run makes what it announced", async () => {
    const before = await fingerprints();
    const check = await play("--check");
    assertSame(before, await fingerprints());
    assertPredicted(check, await play());
  });

  step("a second run and a check change nothing", async () => {
    const before = await fingerprints();
    for (const run of [await play(), await play("--check")]) assert.equal(changedTasks(run), []);
    assertSame(before, await fingerprints());
  });

  step("containers and hosts reach every container", async () => {
    if (debian === "trixie") await everywhere("mv /opt/docker /usr/bin");
    await startServices(cluster, 2);
    await everyPath();
  });

  step(
    "containers reach each host's bridge; those of another Docker network reach no container, nor are they reached",
    () => assertNetworksApart(cluster, debian),
  );

  step(
    "NetworkManager does not touch the bridge and containers, even when it restarts or its networking is off and on",
    async () => {
      const pings = await startPings(cluster.host("apollo2"), "10.2.0.2", "apollo2-a");
      const states = await disturbNetworkManager(cluster.host("apollo2"));
      assert.equal(states, [
        "eth0:connected",
        "veth:unmanaged",
        "veth:unmanaged",
        "weave-vx:unmanaged",
        "weave:unmanaged",
      ]);
      assert.equal((await pings.end()).lost, []);
      await everyPath(20);
    },
  );

  step("limits of a container's memory and processor time are in force", async () => {
    const limits = await limitsOf(cluster.host("apollo1"));
    if (limits !== null) assert.equal(limits, LIMITS);
    return limits === null ? "untested" : "tested";
  });

  step("peers change live: nothing is restarted, and no ping is lost", async () => {
    for (const peers of ["192.168.50.12", "192.168.50.12,192.168.50.13"]) {
      const limited = ["--limit", "apollo1", "--extra-vars", `weave_launch_peers=${peers}`];
      const [first, second] = [cluster.host("apollo1"), cluster.host("apollo2")];
      const changed = await withoutDisruption([first, second], async () => changedTasks(await play(...limited)));
      assert.equal(changed, ["apollo1: weave : Configure the bridge"]);
    }
    await everyPath();
  });

  step("Docker that does not start is restarted with its previous command line", async () => {
    const command = "tr '\\0' ' ' </proc/$(cat /run/docker.pid)/cmdline";
    const before = await sh(cluster.host("apollo2"), command);
    const dropIn = `${DROP_INS}/a.conf`;
    await sh(cluster.host("apollo2"), `mkdir -p ${DROP_INS}; printf '[Service]\\nUser=nosuchuser\\n' >${dropIn}`);
    await sh(cluster.host("apollo2"), "systemctl daemon-reload");
    const restart = (): Promise<{ msg?: string; changed?: boolean }> =>
      runModule(cluster.host("apollo2"), "docker_bridge_opts", { state: "restarted" });
    assert.match((await restart()).msg ?? "", "the command line that it ran with before");
    assert.is(await sh(cluster.host("apollo2"), command), before);
    await sh(cluster.host("apollo2"), `rm ${dropIn} ${DROP_INS}/zz-weave.conf; systemctl daemon-reload`);
    assert.is((await restart()).msg, undefined);
    assert.equal(changedTasks(await play("--limit", "apollo2")), []);
    await everyPath();
  });

  for (const name of ["apollo2", "apollo3"]) {
    step(`${name} comes back by itself after a reboot`, async () => {
      await cluster.host(name).reboot();
      await everyPath(NEIGHBOURS_SECONDS);
    });
  }

  step("a run after the reboots changes nothing", async () => {
    assert.equal(changedTasks(await play()), []);
  });

  step("the Weave router would be given the API version that a stopped Docker accepts", async () => {
    const accepted = await sh(cluster.host("apollo1"), "docker version --format '{{.Server.MinAPIVersion}}'");
    await sh(cluster.host("apollo1"), "systemctl stop docker.socket docker");
    const options = { script_version: "2.8.1" };
    const planned = await runModule(cluster.host("apollo1"), "weave_service", options, { check: true });
    await sh(cluster.host("apollo1"), "systemctl start docker");
    assert.is(planned.msg, undefined);
    const given = /DOCKER_API_VERSION="(1\.\d+)"/.exec(planned.diff?.map(({ after }) => after).join("") ?? "")?.[1];
    const minor = (version: string): number => Number(version.replace("1.", ""));
    // Weave 2.8.1 asks for 1.18 by itself.
    assert.is(given, minor(accepted) > 18 ? accepted : undefined, accepted);
  });

  step("containers on a separate Docker network on the bridge reach one another", async () => {
    const network = ["--limit", "apollo1,apollo2", "--extra-vars", "weave_docker_network=flat"];
    await play(...network);
    const addresses = await Promise.all(
      cluster.hosts.slice(0, 2).map(async (host) => {
        const image = await busyboxImage(host);
        await sh(host, `docker run --detach --name on-flat --network flat ${image} sleep 1d`);
        return sh(host, "docker inspect --format '{{.NetworkSettings.Networks.flat.IPAddress}}' on-flat");
      }),
    );
    assert.match(addresses.join(), /^10\.2\.1\.\d+,10\.2\.2\.\d+$/);
    await sh(cluster.host("apollo1"), `docker exec on-flat ping -c 1 -w 10 ${addresses[1]}`);
    await sh(cluster.host("apollo2"), `docker exec on-flat ping -c 1 -w 10 ${addresses[0]}`);
    assert.equal(changedTasks(await play(...network)), []);
  });

  test.run();
}
