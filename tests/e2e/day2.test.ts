import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, changedTasks, type PlaybookRun } from "./playbook";
import { assertPredicted } from "./prediction";
import { RUNNING, running } from "./running";
import { startServices } from "./services";
import { sh } from "./shell";
import type { TaskResult } from "./task_result";
import { assertAsBefore, servicesOn, statesOf, withoutDisruption } from "./without_disruption";

/** The playbooks of later days, by each datapath, on the same three hosts: grow, shrink, upgrade, tear down. */
const directory = mkdtempSync(join(tmpdir(), "apollo-weave-day2-"));
let cluster: Cluster;

const hosts = (count: number): Host[] => cluster.hosts.slice(0, count);

/** An inventory as an operator would have it, with the first hosts of the cluster. */
function inventory(count: number): string {
  const path = join(directory, `${count}-hosts.ini`);
  const gone = cluster.hosts.slice(count).map(({ name }) => `${name} `);
  const lines = readFileSync(cluster.inventory, "utf8").split("\n");
  writeFileSync(path, lines.filter((line) => !gone.some((name) => line.startsWith(name))).join("\n"));
  return path;
}

/** Runs a playbook on the first hosts; `vars` are extra variables. */
const play = (playbook: string, count: number, vars: object, ...more: string[]): Promise<PlaybookRun> =>
  ansiblePlaybook(inventory(count), [playbook, "--diff", "--extra-vars", JSON.stringify(vars), ...more]);

async function succeeds(run: Promise<PlaybookRun>): Promise<PlaybookRun> {
  const made = await run;
  assert.is(made.status, 0, made.output);
  return made;
}

/** In the hosts' order: they fail side by side. */
const failures = ({ results }: PlaybookRun): TaskResult[] =>
  results.filter(({ outcome }) => outcome === "failed").sort((one, other) => one.host.localeCompare(other.host));

/** The addresses of the hosts' containers, each shown with the host's name. */
const addressesOn = async (some: readonly Host[]): Promise<string> =>
  (await servicesOn(some)).map(({ name, address }) => `${name} ${address}`).join("\n");

const removeServices = (some: readonly Host[]): Promise<string[]> =>
  Promise.all(some.map((host) => sh(host, `docker rm --force ${host.name}-a`)));

/** Takes the network off hosts with a container, after a check; nothing may be left of it. Returns the run. */
async function tornDown(some: readonly Host[], vars: object, before: ReadonlyMap<Host, string>): Promise<PlaybookRun> {
  const teardown = (...more: string[]): Promise<PlaybookRun> =>
    succeeds(play("playbooks/teardown.yml", some.length, vars, ...more));
  const there = await statesOf(some);
  const check = await teardown("--check");
  await assertAsBefore(some, there);
  const run = await teardown();
  assertPredicted(check, run);
  assert.match(await addressesOn(some), /^(\S+ 172\.17\.0\.\d+\n?)+$/);
  await removeServices(some);
  await assertAsBefore(some, before);
  return run;
}

/** Hosts as they were before the network have nothing to be torn down. */
async function assertNothingLeft(
  some: readonly Host[],
  vars: object,
  before: ReadonlyMap<Host, string>,
): Promise<void> {
  const again = await succeeds(play("playbooks/teardown.yml", some.length, vars));
  assert.equal(changedTasks(again), [], again.output);
  await assertAsBefore(some, before);
}

/** A host without Node.js, until it is put back. */
const hideNode = (host: Host): Promise<string> => sh(host, "mv /usr/bin/node /usr/lib/hidden-node");
const putNodeBack = (host: Host): Promise<string> => sh(host, "mv /usr/lib/hidden-node /usr/bin/node");

const vxlan = suite("later days with weave_datapath=vxlan");
const VXLAN = { weave_datapath: "vxlan" };
let before: ReadonlyMap<Host, string>;

vxlan.before(async () => {
  cluster = await bootHosts(3);
  // Two hosts get their Node.js from the role: one that leaves, and one that is torn down.
  await Promise.all([2, 3].map((number) => hideNode(cluster.host(`apollo${number}`))));
  // With the first container docker0 gets its IPv6 address, for good.
  await Promise.all(cluster.hosts.map(async (host) => sh(host, `docker run --rm ${await busyboxImage(host)} sleep 1`)));
  before = await statesOf(cluster.hosts);
  await succeeds(play("playbooks/weave.yml", 2, VXLAN));
  await startServices({ hosts: hosts(2) }, 1);
});

vxlan("grow.yml: a third host is joined; nothing restarts, and no ping between containers is lost", async () => {
  const run = await withoutDisruption(hosts(2), () => succeeds(play("playbooks/grow.yml", 3, VXLAN)));
  const changed = changedTasks(run).filter((task) => !task.startsWith("apollo3: "));
  assert.equal(
    changed.sort(),
    hosts(2).map(({ name }) => `${name}: weave : Configure the bridge`),
    "the others only learn of it",
  );
  assert.match(run.output, /All \d+ paths work/);
  await startServices({ hosts: [cluster.host("apollo3")] }, 1);
  assert.match(await addressesOn(cluster.hosts), /apollo3-a 10\.2\.3\.\d+$/);
});

vxlan("shrink.yml: a host leaves and is as before; the others are not disrupted", async () => {
  const leaving = cluster.hosts.slice(2);
  const vars = { ...VXLAN, weave_leaving: " apollo3" };
  await withoutDisruption(hosts(2), () => succeeds(play("playbooks/shrink.yml", 3, vars)));
  assert.match(await addressesOn(leaving), /^(\S+ 172\.17\.0\.\d+\n?)+$/);
  await removeServices(leaving);
  await assertAsBefore(leaving, before);
  assert.is(
    await sh(cluster.host("apollo1"), "bridge fdb show dev weave-vx | grep -o 'dst .* self permanent'"),
    "dst 192.168.50.12 self permanent",
  );
  const rest = await succeeds(play("playbooks/weave.yml", 2, VXLAN));
  assert.equal(changedTasks(rest), []);
});

vxlan("teardown.yml with weave_docker_restart off stops before Docker's restart, and there is a way back", async () => {
  const run = await withoutDisruption(hosts(2), async () => {
    const stopped = await play("playbooks/teardown.yml", 2, { ...VXLAN, weave_docker_restart: false });
    await succeeds(play("playbooks/weave.yml", 2, VXLAN));
    return stopped;
  });
  assert.equal(
    failures(run).map(({ host, result: { msg } }) => [host, msg]),
    hosts(2).map(({ name }) => [
      name,
      `weave_docker_restart: must be true, or Docker on ${name} must be restarted by hand, before the bridge can be removed (found ` +
        "false, and Docker still running with the removed options). Restart Docker when its containers may stop " +
        "(systemctl restart docker), and run the playbook again.",
    ]),
  );
});

vxlan("teardown.yml: predicted, and nothing is left, nor of the Node.js that the role had brought", async () => {
  assert.match(await sh(cluster.host("apollo2"), "ls /var/lib/apollo-weave"), "node-");
  await tornDown(hosts(2), VXLAN, before);
  await assertNothingLeft(hosts(2), VXLAN, before);
});
vxlan.run();

const router = suite("later days with weave_datapath=router");
/** The script of a version, as a file on this machine; `more` is a line of shell for its launches. */
async function script(version: string, more = ":"): Promise<object> {
  const path = join(directory, `weave-${version}`);
  const host = cluster.host("apollo1");
  await installWeaveStandIn(host, { version });
  const text = await host.read("/usr/local/bin/weave");
  await sh(host, "rm /usr/local/bin/weave");
  writeFileSync(path, text.replace(/^launch\(\) \{$/m, `launch() {\n    ${more}`));
  return { weave_version: version, weave_script_file: path };
}
let [old, next] = [{}, {}];

router.before(async () => {
  await Promise.all([2, 3].map((number) => putNodeBack(cluster.host(`apollo${number}`))));
  // What the script needs on each host; the role brings the script itself.
  await Promise.all(cluster.hosts.map((host) => installWeaveStandIn(host)));
  await Promise.all(cluster.hosts.map((host) => sh(host, "rm /usr/local/bin/weave")));
  old = await script("2.8.0");
  before = await statesOf(cluster.hosts);
  await succeeds(play("playbooks/weave.yml", 2, old));
  await startServices({ hosts: hosts(2) }, 1);
});

router("grow.yml: a third host is joined; nothing restarts, and no ping between containers is lost", async () => {
  const run = await withoutDisruption(hosts(2), () => succeeds(play("playbooks/grow.yml", 3, old)));
  const changed = changedTasks(run).filter((task) => !task.startsWith("apollo3: "));
  assert.equal(
    changed.sort(),
    hosts(2).map(({ name }) => `${name}: weave : Run the Weave router`),
  );
  assert.match(run.output, /All \d+ paths work/);
});

const versions = (): Promise<string[]> =>
  Promise.all(
    cluster.hosts.map((host) => sh(host, "docker inspect -f '{{.Config.Image}}' weave; weave --local version")),
  );
const [OLD, NEW] = ["weaveworks/weave:2.8.0\nweave 2.8.0", "weaveworks/weave:2.8.1\nweave 2.8.1"];

router("upgrade.yml stops at a host that reaches no other any more, says so, and leaves the rest", async () => {
  // A version that listens to nobody on one host.
  const rule = "INPUT -p udp --dport 6783 -j DROP";
  next = await script("2.8.1", `[ "$(hostname)" != apollo2 ] || iptables -I ${rule}`);
  const untouched = cluster.hosts.slice(2);
  const there = await statesOf(untouched);
  const started = await Promise.all(untouched.map(running));
  const run = await play("playbooks/upgrade.yml", 3, { ...next, weave_verify_timeout: 4 });
  assert.is.not(run.status, 0);
  assert.equal([...new Set(run.results.map(({ host }) => host))], ["apollo1", "apollo2"]);
  assert.match(JSON.stringify(failures(run)[0]?.result.msg), "apollo2 does not reach apollo1");
  assert.match(
    run.output,
    "apollo1 and apollo2: must reach each other through the router (found blocked paths between 192.168.50.11 and 192.168.50.12). Open TCP and UDP port 6783 ",
  );
  assert.equal(await versions(), [NEW, NEW, OLD]);
  await assertAsBefore(untouched, there);
  assert.equal(await Promise.all(untouched.map(running)), started);
  await sh(cluster.host("apollo2"), `iptables -D ${rule}`);
});

router("upgrade.yml brings the rest to the version, one host after another; Docker and containers go on", async () => {
  next = await script("2.8.1");
  const others = (): Promise<string[]> =>
    Promise.all(cluster.hosts.map((host) => sh(host, `${RUNNING} | grep -v '^/weave ' | sort`)));
  const started = await others();
  const run = await succeeds(play("playbooks/upgrade.yml", 3, next));
  const order = run.results.map(({ host }) => host).filter((host, index, all) => host !== all[index - 1]);
  assert.equal(order, ["apollo1", "apollo2", "apollo3"]);
  assert.equal(await versions(), [NEW, NEW, NEW]);
  assert.equal(await others(), started);
});

router("shrink.yml: a host leaves and is as before; the others are not disrupted", async () => {
  const leaving = cluster.host("apollo3");
  await withoutDisruption(hosts(2), () =>
    succeeds(play("playbooks/shrink.yml", 3, { ...next, weave_leaving: "apollo3" })),
  );
  await assertAsBefore([leaving], before);
  const rest = await succeeds(play("playbooks/weave.yml", 2, next));
  assert.equal(changedTasks(rest), []);
  const { stdout: targets } = await cluster.host("apollo1").exec(["weave", "status", "targets"]);
  assert.equal(targets.split("\n").sort(), ["", "192.168.50.12"]);
});

router("teardown.yml: predicted, and nothing is left", async () => {
  await tornDown(hosts(2), next, before);
  await assertNothingLeft(hosts(2), next, before);
});

router("teardown.yml with weave_mode=proxy: predicted, and nothing is left", async () => {
  // Of both generations: up to 1.9 the proxy is a separate container, since 2.0 there is the fast datapath.
  await script("1.9.8");
  const vars = {
    weave_mode: "proxy",
    weave_version: "{{ '1.9.8' if inventory_hostname == 'apollo1' else '2.8.1' }}",
    weave_script_file: `${directory}/weave-{{ weave_version }}`,
  };
  await succeeds(play("playbooks/weave.yml", 2, vars));
  await startServices({ hosts: hosts(2) }, 1);
  // As Weave attaches a container: a port that is named by its process. The router keeps its network until it ends.
  const [attached] = hosts(1);
  assert.ok(attached);
  const pid = await sh(attached, "docker inspect --format '{{.State.Pid}}' apollo1-a");
  const port = `vethwepl${pid}`;
  await sh(attached, `ip link add ${port} type veth peer name ethwe netns ${pid} && ip link set ${port} master weave`);
  await sh(
    attached,
    `systemd-run --quiet --unit=keep --property=BindsTo=weave.service nsenter --target ${pid} --net sleep infinity`,
  );
  const there = await statesOf([attached]);
  const rejected = await play("playbooks/teardown.yml", 1, vars);
  assert.match(failures(rejected)[0]?.result.msg ?? rejected.output, `(found 1 port: ${port}). Stop the containers`);
  await assertAsBefore([attached], there);
  await sh(attached, "docker rm --force apollo1-a");
  assert.match(await sh(attached, "ls /sys/class/net/weave/brif"), port);
  await startServices({ hosts: [attached] }, 1);
  const run = await tornDown(hosts(2), vars, before);
  assert.equal(
    run.results.filter(({ task }) => task.endsWith("to the other peers")).map(({ result }) => result["status"]),
    [204, 204],
  );
});

router.after(async () => {
  rmSync(directory, { recursive: true });
  await cluster.down();
});
router.run();
