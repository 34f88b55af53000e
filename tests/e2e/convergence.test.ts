import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { subjects } from "./command";
import { bootHosts } from "./hosts";
import { ANOTHER_ADDRESS } from "./live_change_cases";
import { type ModuleRun, runModule } from "./module";
import { ansibleModule, ansiblePlaybook, changedTasks, type PlaybookRun } from "./playbook";
import { ADDRESS } from "./services";

/** What an interrupted run, a hand or a fault leaves behind is found by the next run, and repaired by only the changes needed. */
const test = suite("convergence");
let cluster: Cluster;
let host: Host;
const play = (): Promise<PlaybookRun> =>
  ansiblePlaybook(cluster.inventory, ["site.yml", "--diff", "--extra-vars", "weave_datapath=vxlan"]);

test.before(async () => {
  cluster = await bootHosts(1);
  host = cluster.host("apollo1");
});
test.after(() => cluster.down());

test("a restart of Docker that an interrupted run left pending is made by the next run", async () => {
  const options = { bridge: "weave", fixed_cidr: "10.2.1.0/24", bridge_address: "10.2.0.1/16", mtu: 1450 };
  const interrupted = await ansibleModule(cluster.inventory, "docker_bridge_opts", options);
  assert.is(interrupted.results[0]?.result["restart_required"], true);

  const next = await play();
  assert.is(next.status, 0, next.output);
  assert.equal(changedTasks(next).slice(1), [
    "apollo1: weave : Configure Docker to use the bridge",
    "apollo1: weave : Report that Docker must restart",
    "apollo1: weave : restart docker",
  ]);
  assert.equal(changedTasks(await play()), []);
});

test("options that the daemon runs with but its file lacks are written, and no restart is pending", async () => {
  const before = await host.exec(["systemctl", "show", "docker", "-p", "MainPID"]);
  await host.exec(["sh", "-c", "sed -i 's/^DOCKER_OPTS=.*/DOCKER_OPTS=/' /etc/default/docker"]);
  assert.equal(changedTasks(await play()), ["apollo1: weave : Configure Docker to use the bridge"]);
  assert.equal(await host.exec(["systemctl", "show", "docker", "-p", "MainPID"]), before);
});

/** The module as the play calls it. */
const bridge = (): Promise<ModuleRun> =>
  runModule(host, "weave_bridge", { host_index: 1, datapath: "vxlan", underlay: "192.168.50.11", peers: [] });

test("the module by itself finds nothing to do after the play", async () => {
  const { changed, msg } = await bridge();
  assert.is(changed, false, msg);
});

const DRIFTS = {
  "an address removed": { by: "ip addr flush dev weave", subjects: ["bridge weave: address"] },
  "an address too many": { ...ANOTHER_ADDRESS, by: `${ANOTHER_ADDRESS.by}; ip addr add 10.2.0.99/16 dev weave` },
  "the bridge down": { by: "ip link set weave down", subjects: ["bridge weave: state"] },
  "another MTU": { by: "ip link set weave mtu 1400", subjects: ["bridge weave: mtu"] },
  "another MAC address": {
    by: "ip link set weave address 0e:00:00:00:00:01",
    subjects: ["bridge weave: arp_notify", "bridge weave: mac"],
  },
  "the VXLAN device gone": { by: "ip link del weave-vx", subjects: ["bridge weave: datapath"] },
  "the VXLAN device off the bridge": { by: "ip link set weave-vx nomaster", subjects: ["weave-vx: bridge"] },
  "the VXLAN device down": { by: "ip link set weave-vx down", subjects: ["weave-vx: state"] },
  "a stranger among the peers": {
    by: "bridge fdb append 00:00:00:00:00:00 dev weave-vx dst 192.168.50.99",
    subjects: ["bridge weave: peers"],
  },
  "an entry of a peer with another port, and one twice with another network": {
    by:
      "for more in '2 port 4790' '8' '8 port 4790' '8 vni 7'; do " +
      "bridge fdb append 00:00:00:00:00:00 dev weave-vx dst 192.168.50.9$more; done",
    subjects: ["bridge weave: peers"],
  },
  "the file changed by hand": {
    by: "echo '# mine' >> /etc/network/interfaces.d/weave.cfg",
    subjects: ["/etc/network/interfaces.d/weave.cfg"],
  },
  "the file open to all": {
    by: "chmod 666 /etc/network/interfaces.d/weave.cfg",
    subjects: ["/etc/network/interfaces.d/weave.cfg: mode"],
  },
  "the bridge deleted while ifupdown holds it for up": { by: "ip link del weave", subjects: ["bridge weave"] },
  "a host that reads no *.cfg": {
    by: "printf 'source-directory /etc/network/interfaces.d\\nauto lo\\niface lo inet loopback' > /etc/network/interfaces",
    subjects: ["/etc/network/interfaces"],
  },
} satisfies Readonly<Record<string, { by: string; subjects: string[] }>>;

for (const [name, drift] of Object.entries(DRIFTS)) {
  test(`${name}: corrected by just that change`, async () => {
    await host.exec(["sh", "-c", drift.by]);
    const run = await bridge();
    assert.not(run.failed, run.msg);
    assert.equal(subjects(run), drift.subjects);
    assert.is((await bridge()).changed, false);
  });
}

test("a drift is corrected by a play with just that change, too", async () => {
  const { by, subjects: drifted } = DRIFTS["an address removed"];
  await host.exec(["sh", "-c", by]);
  const run = await play();
  assert.is(run.status, 0, run.output);
  const diffs = run.results.flatMap(({ result }) => [result.diff ?? []].flat());
  assert.equal(
    diffs.flatMap(({ after_header }) => after_header ?? []),
    drifted,
  );
  assert.equal(changedTasks(await play()), []);
});

for (const by of ["ip link del weave", "ifdown weave && ifup weave"]) {
  test(`containers that "${by}" cut off are put back, running`, async () => {
    const image = await busyboxImage(host);
    // A container of before may have had this one's address, and from Docker 28 on another MAC address.
    await host.exec(["ip", "neigh", "flush", "dev", "weave"]);
    await host.exec(["docker", "run", "--detach", "--stop-timeout=1", "--name", "cut-off", image, "sleep", "1000"]);
    const address = (await host.exec(["docker", "inspect", "--format", ADDRESS, "cut-off"])).stdout.trim();
    // The kernel may take a second to tell a bridge without ports that it has got one, and drops what it is to send until then.
    const reached = async (pings: number): Promise<boolean> => {
      const script = 'for ping in $(seq "$1"); do ping -q -c 1 -W 1 "$2" && exit; sleep 0.2; done; exit 1';
      return (await host.exec(["sh", "-c", script, "sh", String(pings), address], { check: false })).status === 0;
    };
    assert.ok(await reached(5));
    await host.exec(["sh", "-c", by]);
    assert.not.ok(await reached(2));

    const run = await bridge();
    assert.not(run.failed, run.msg);
    assert.is(run.changed, true);
    assert.ok(await reached(5));
    assert.is((await bridge()).changed, false);
    await host.exec(["docker", "rm", "--force", "cut-off"]);
  });
}

test("a container of another network that has lost its bridge is not put on this one", async () => {
  const image = await busyboxImage(host);
  const inDocker = (...args: string[]): Promise<unknown> => host.exec(["docker", ...args]);
  await inDocker("network", "create", "--internal", "--opt", "com.docker.network.bridge.name=br-private", "private");
  await inDocker(
    "run",
    "--detach",
    "--stop-timeout=1",
    "--name",
    "isolated",
    "--network=private",
    image,
    "sleep",
    "1000",
  );
  await host.exec(["ip", "link", "del", "br-private"]);
  const { changed, msg } = await bridge();
  assert.is(changed, false, msg);
  await inDocker("rm", "--force", "isolated");
  await inDocker("network", "rm", "private");
});

test.run();
