import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, changedTasks, complaints, type PlaybookRun } from "./playbook";
import { assertPredicted } from "./prediction";
import { ADDRESS, assertAllReached, findServices, NEIGHBOURS_SECONDS, startServices } from "./services";
import { sh, waitUntil } from "./shell";

const TASKS = ["Probe the host", "Resolve the host indexes and addresses", "Configure the bridge"];
const VXLAN = [...TASKS, "Configure Docker to use the bridge"].map((name) => `TASK [weave : ${name}]`);
const ROUTER = "TASK [weave : Run the Weave router]";

/** All that a run prints where nothing is left to do, but for the hosts' lines. Nothing is skipped that would have a line. */
const STEADY = {
  vxlan: ["PLAY [Provision the cluster]", ...VXLAN, "PLAY RECAP"],
  router: ["PLAY [Provision the cluster]", ...VXLAN, ROUTER, "PLAY RECAP"],
};

/** The same of fresh hosts. */
const RESTART = [
  "TASK [weave : Restart Docker, or report that it must be restarted]",
  "included: pending_docker_restart.yml for apollo1, apollo2, apollo3",
  "TASK [weave : Report that Docker must restart]",
  "RUNNING HANDLER [weave : restart docker]",
];
const CHANGING = {
  vxlan: STEADY.vxlan.flatMap((line) => (line === "PLAY RECAP" ? [...RESTART, line] : [line])),
  router: STEADY.router.flatMap((line) => (line === ROUTER ? [...RESTART, line] : [line])),
};

const steps = ({ output }: PlaybookRun): string[] =>
  output
    .split("\n")
    .filter((line) => !/^(ok: \[apollo\d\]|apollo\d +: ok=.*|)$/.test(line.trim()))
    .map((line) => line.replace(/ \*+$/, "").replace(/^(included: )\S+\//, "$1"))
    // Named in the order in which they answered.
    .map((line) => line.replace(/(?<=^included: .* for ).*/, (names) => names.split(", ").sort().join(", ")));

/** The main job, by each datapath: fresh hosts, check, run, run again, traffic, reboot. */
for (const datapath of ["vxlan", "router"] as const) {
  const hosts = 3;
  const test = suite(`site.yml with weave_datapath=${datapath}`);
  let cluster: Cluster;
  const playBy = async (env: Readonly<Record<string, string>>, ...args: string[]): Promise<PlaybookRun> => {
    const site = ["site.yml", "--diff", "--extra-vars", `weave_datapath=${datapath}`];
    const run = await ansiblePlaybook(cluster.inventory, [...site, ...args], { env });
    assert.equal(complaints(run), []);
    return run;
  };
  const play = (...args: string[]): Promise<PlaybookRun> => playBy({}, ...args);
  const fingerprints = (): Promise<string[]> => Promise.all(cluster.hosts.map(fingerprint));

  test.before(async () => {
    cluster = await bootHosts(hosts);
    if (datapath === "router") await Promise.all(cluster.hosts.map((host) => installWeaveStandIn(host)));
  });
  test.after(() => cluster.down());

  let check: PlaybookRun;
  test("a check on fresh hosts changes nothing", async () => {
    const before = await fingerprints();
    check = await play("--check");
    assert.is(check.status, 0, check.output);
    const after = await fingerprints();
    assert.equal(
      before.flatMap((text, index) => differences(text, after[index] ?? "")),
      [],
    );
  });

  // Ansible's own modules go over the same connection that starts them, or as files before; neither may show.
  const pipelining = datapath !== "vxlan";
  test(`the run, ${pipelining ? "with" : "without"} pipelining, makes what the check announced, task by task`, async () => {
    const run = await playBy({ ANSIBLE_PIPELINING: String(pipelining) });
    assert.is(run.status, 0, run.output);
    assertPredicted(check, run);
    assert.equal(
      steps(run).filter((line) => /^(PLAY|TASK|RUNNING|included)/.test(line)),
      CHANGING[datapath],
    );
    const restarts = changedTasks(run).filter((task) => task.endsWith("restart docker"));
    assert.is(restarts.length, hosts, "one restart of Docker on each host");
  });

  test("a second run changes nothing, nor would a check", async () => {
    const before = await fingerprints();
    for (const again of [await play(), await play("--check")]) {
      assert.is(again.status, 0, again.output);
      assert.equal(changedTasks(again), []);
      assert.equal(steps(again), STEADY[datapath]);
    }
    const after = await fingerprints();
    assert.equal(
      before.flatMap((text, index) => differences(text, after[index] ?? "")),
      [],
    );
  });

  test("the hosts have Apollo's addresses and pass Apollo's own acceptance list", async () => {
    for (const host of cluster.hosts) {
      const { stdout } = await host.exec(["ip", "-o", "-4", "addr", "show", "dev", "weave"]);
      assert.match(stdout, ` 10.2.0.${host.number}/16 `);
      const { stdout: mode } = await host.exec(["stat", "-c", "%U:%G %a", "/etc/network/interfaces.d/weave.cfg"]);
      assert.is(mode, "root:root 644\n");
      assert.match(await host.read("/etc/network/interfaces.d/weave.cfg"), "iface weave inet manual");
      assert.match(await host.read("/etc/default/docker"), "--bridge=weave");
    }
  });

  if (datapath === "vxlan") {
    test("containers and hosts reach every container by IP and port", async () => {
      await startServices(cluster, 2);
      for (const { address, host } of await findServices(cluster, 2)) {
        assert.match(address, new RegExp(`^10\\.2\\.${host.number}\\.\\d+$`));
      }
      await assertAllReached(cluster, cluster, 2);
    });

    test("full-size packets pass between containers", async () => {
      const [first, , other] = await findServices(cluster, 2);
      assert.ok(first && other && first.host !== other.host);
      // 1450 of the VXLAN less 20 of IPv4 and 8 of ICMP. Not fragmented, or it would prove nothing.
      const ping = (bytes: number) =>
        first.host.exec(
          [
            "nsenter",
            "--net",
            "--target",
            String(pid),
            "ping",
            "-M",
            "do",
            "-c",
            "1",
            "-W",
            "2",
            "-s",
            String(bytes),
            other.address,
          ],
          { check: false },
        );
      const { stdout } = await first.host.exec(["docker", "inspect", "--format", "{{.State.Pid}}", first.name]);
      const pid = Number(stdout);
      assert.is((await ping(1422)).status, 0);
      assert.is.not((await ping(1423)).status, 0);
    });

    test("all comes back by itself after a reboot", async () => {
      await cluster.host("apollo2").reboot();
      await assertAllReached(cluster, cluster, 2, NEIGHBOURS_SECONDS);
      const again = await play();
      assert.equal(changedTasks(again), [], again.output);
    });
  } else {
    const report = async (
      name: string,
    ): Promise<{ Router: { Targets: string[]; Connections: { State: string }[] } }> => {
      const { stdout } = await cluster
        .host(name)
        .exec(["curl", "-sf", "-H", "Accept: application/json", "http://127.0.0.1:6784/report"]);
      return JSON.parse(stdout);
    };

    test("every router gets the others as peers and connects to them", async () => {
      for (const { name, address } of cluster.hosts) {
        const others = cluster.hosts.map((host) => host.address).filter((other) => other !== address);
        assert.equal((await report(name)).Router.Targets.sort(), others);
      }
      const states = (await report("apollo1")).Router.Connections.map(({ State }) => State);
      assert.equal(states, ["established", "established"]);
    });

    test("frames pass between hosts, full-size ones and TCP too, while their routers are connected", async () => {
      const [first, second] = [cluster.host("apollo1"), cluster.host("apollo2")];
      // 1438 of the router's sleeve less 20 of IPv4 and 8 of ICMP, which is what Docker announces to its containers.
      assert.match(
        (await first.exec(["docker", "network", "inspect", "bridge"])).stdout,
        '"com.docker.network.driver.mtu": "1438"',
      );
      const passes = async (): Promise<boolean> =>
        (await first.exec(["ping", "-c", "1", "-W", "1", "-M", "do", "-s", "1410", "10.2.0.2"], { check: false }))
          .status === 0;
      const soon = async (expected: boolean): Promise<boolean> => {
        for (let tries = 0; tries < 50; tries++) {
          if ((await passes()) === expected) return true;
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
        return false;
      };
      assert.ok(await passes());
      await startServices({ hosts: [second] }, 1);
      const { stdout: address } = await second.exec(["docker", "inspect", "--format", ADDRESS, "apollo2-a"]);
      const { stdout: page } = await first.exec(["curl", "-sS", "-m", "5", `http://${address.trim()}:8080/`]);
      assert.is(page, "apollo2-a\n");
      await second.exec(["docker", "rm", "--force", "apollo2-a"]);
      for (const [ends, begins] of [
        ["docker pause weave", "docker unpause weave"],
        ["systemctl stop weave", "systemctl start weave"],
        ["iptables -I INPUT -p udp --dport 6783 -j DROP", "iptables -D INPUT -p udp --dport 6783 -j DROP"],
      ] as const) {
        await second.exec(["sh", "-c", ends]);
        assert.not(await passes(), ends);
        await second.exec(["sh", "-c", begins]);
        assert.ok(await soon(true), begins);
      }
    });

    test("the running routers learn that a peer has left, and nothing restarts", async () => {
      const before = await cluster
        .host("apollo1")
        .exec(["docker", "inspect", "--format", "{{.State.StartedAt}}", "weave"]);
      const fewer = ["--limit", "apollo1", "--extra-vars", "weave_launch_peers=192.168.50.12"];
      const predicted = await play("--check", ...fewer);
      const run = await play(...fewer);
      assertPredicted(predicted, run);
      assert.equal(changedTasks(run), ["apollo1: weave : Run the Weave router"], run.output);
      assert.equal((await report("apollo1")).Router.Targets, ["192.168.50.12"]);
      const after = await cluster
        .host("apollo1")
        .exec(["docker", "inspect", "--format", "{{.State.StartedAt}}", "weave"]);
      assert.is(after.stdout, before.stdout);
    });

    test("the router starts and stops with Docker, and comes back after a reboot", async () => {
      const host = cluster.host("apollo2");
      await host.exec(["systemctl", "stop", "docker.socket", "docker"]);
      assert.is((await host.exec(["systemctl", "is-active", "weave"], { check: false })).stdout, "inactive\n");
      await host.exec(["systemctl", "start", "docker"]);
      await sh(host, waitUntil("curl -sf http://127.0.0.1:6784/status"));
      await host.reboot();
      const again = await play("--limit", "apollo2");
      assert.equal(changedTasks(again), [], again.output);
    });

    test("a password reaches the router only by its environment file", async () => {
      const secret = "correct-horse-battery";
      const run = await play("--limit", "apollo1", "-vvv", "--extra-vars", `weave_password=${secret}`);
      assert.is(run.status, 0, run.output);
      const host = cluster.host("apollo1");
      assert.is((await host.exec(["stat", "-c", "%a", "/etc/weave.env"])).stdout, "600\n");
      const found = await host.exec(["grep", "-rlI", secret, "/etc", "/root", "/tmp", "/var/log"], { check: false });
      assert.is(found.stdout, "/etc/weave.env\n");
      assert.is(
        (await host.exec(["sh", "-c", `ps axww | grep ${secret.replace("c", "[c]")}`], { check: false })).stdout,
        "",
      );
      assert.is(
        (await host.exec(["sh", "-c", `journalctl | grep -c ${secret.replace("c", "[c]")}`], { check: false })).stdout,
        "0\n",
      );
      for (const { result } of run.results) assert.not.match(JSON.stringify(result), secret);
    });

    test("the switch to the kernel's VXLAN takes the router away first, and is predicted", async () => {
      const vxlan = ["site.yml", "--diff", "--extra-vars", "weave_datapath=vxlan"];
      // A router that is stopped would come back at the restart of Docker, which the switch makes.
      await cluster.host("apollo3").exec(["systemctl", "stop", "weave"]);
      const predicted = await ansiblePlaybook(cluster.inventory, [...vxlan, "--check"]);
      const rejected = await ansiblePlaybook(cluster.inventory, [
        ...vxlan,
        "--limit",
        "apollo1",
        "--extra-vars",
        "weave_launch_peers=10.2.0.9",
      ]);
      assert.is(rejected.status, 2);
      assert.match(
        (await cluster.host("apollo1").exec(["docker", "ps"])).stdout,
        "weave",
        "a VXLAN that can't be made leaves the router",
      );
      const run = await ansiblePlaybook(cluster.inventory, vxlan);
      assert.is(run.status, 0, run.output);
      assertPredicted(predicted, run);
      assert.not.match((await cluster.host("apollo1").exec(["docker", "ps"])).stdout, "weave");
      const { stdout: ports } = await cluster.host("apollo3").exec(["bridge", "link"]);
      assert.not.match(ports, "vethwe");
      assert.equal(changedTasks(await ansiblePlaybook(cluster.inventory, vxlan)), []);
    });
  }
  test.run();
}
