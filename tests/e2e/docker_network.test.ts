import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { waitFor } from "../hosts/wait";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { DockerHost } from "./docker_host";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { runModule } from "./module";
import { ansiblePlaybook, changedTasks, type PlaybookRun, ROOT } from "./playbook";
import { assertPredicted } from "./prediction";
import { ADDRESS, NEIGHBOURS_SECONDS } from "./services";
import { sh } from "./shell";

/** Containers on a separate Docker network on the bridge, while Docker's default network stays as it is. */
const test = suite("weave_docker_network");
let cluster: Cluster;
let one: Host;
let two: Host;
let image: string;

const VXLAN = ["--extra-vars", "weave_datapath=vxlan"];
const FLAT = [...VXLAN, "--extra-vars", "weave_docker_network=flat"];
const MODULE = { network: "flat", bridge: "weave", fixed_cidr: "10.2.1.0/24", mtu: 1450 };

const docker = (host: Host): DockerHost => new DockerHost(host);
const pids = (): Promise<string[]> => Promise.all(cluster.hosts.map((host) => sh(host, "cat /run/docker.pid")));

async function play(...args: string[]): Promise<PlaybookRun> {
  const run = await ansiblePlaybook(cluster.inventory, args);
  assert.is(run.status, 0, run.output);
  return run;
}

/** What a container gets from a server at this address, on the port that all servers have. */
const get = (host: Host, container: string, address: string): Promise<string> =>
  sh(
    host,
    `docker exec ${container} sh -c 'printf "GET / HTTP/1.0\\r\\n\\r\\n" | nc -w 5 ${address} 8080 | tail -n 1'`,
  );

/** Waits until a container gets this answer of a server that was started again. */
const getsAgain = (host: Host, address: string, answer: RegExp): Promise<void> => {
  let got = "";
  return waitFor({
    what: `${address} to be reached from ${host.name}`,
    seconds: NEIGHBOURS_SECONDS,
    probe: async () => {
      got = await get(host, "web", address);
      return answer.test(got);
    },
    diagnose: () => got,
  });
};

const serve = (host: Host, name: string, more = ""): Promise<string> =>
  sh(
    host,
    `docker run --detach --name ${name} --restart=always --stop-timeout=1 --network flat ${more} ${image} ` +
      `sh -c 'echo ${name} of ${host.name} >/www/index.html; exec httpd -f -p 8080 -h /www'`,
  );

const networkOf = (host: Host): Promise<string> =>
  sh(
    host,
    "docker network inspect --format '{{range .IPAM.Config}}{{.Subnet}} {{.IPRange}} {{.Gateway}}{{end}} " +
      `{{index .Options "com.docker.network.driver.mtu"}}' flat`,
  );

test.before(async () => {
  cluster = await bootHosts(2);
  [one, two] = [cluster.host("apollo1"), cluster.host("apollo2")];
  [image] = (await Promise.all([busyboxImage(one), busyboxImage(two)])) as [string, string];
});
test.after(() => cluster.down());

test("a check on fresh hosts predicts the run, Docker does not restart, and a second run changes nothing", async () => {
  const before = await pids();
  const check = await play("site.yml", ...FLAT, "--check", "--diff");
  const run = await play("site.yml", ...FLAT, "--diff");
  assertPredicted(check, run);
  assert.equal(await pids(), before);
  assert.equal(changedTasks(await play("site.yml", ...FLAT)), []);
  assert.is(await networkOf(two), "10.2.0.0/16 10.2.2.0/24 10.2.0.2 1450");
  assert.match(await docker(one).network(), /^docker0/);
  // The role's probe knows it without the VXLAN, too.
  await one.write("/root/probe.sh", readFileSync(join(ROOT, "roles/weave/files/probe.sh")));
  const hidden = "mount -t tmpfs none /sys/class/net && sh /root/probe.sh network=10.2.0.0/16 prefix=24";
  assert.match(await sh(one, `unshare --mount sh -c '${hidden}'`), '"docker_uses_bridge": true');
});

test("servers on one port, several with one alias, and a container that joins while it runs reach one another", async () => {
  await serve(one, "web", "--network-alias servers");
  await serve(two, "web");
  await serve(one, "api", "--network-alias servers");
  const addresses = await sh(one, "docker inspect --format '{{.NetworkSettings.Networks.flat.IPAddress}}' web api");
  assert.equal(addresses.split("\n"), ["10.2.1.1", "10.2.1.2"], "the first address is not the subnet's own");

  await sh(one, `docker run --detach --name old --restart=always --stop-timeout=1 ${image} sleep 9999`);
  const started = await sh(one, "docker inspect --format '{{.State.StartedAt}}' old");
  await sh(one, "docker network connect flat old");
  assert.is(await get(one, "old", "10.2.2.1"), "web of apollo2");
  assert.is(await get(one, "old", "10.2.1.2"), "api of apollo1");
  assert.is(await get(two, "web", "10.2.1.1"), "web of apollo1");
  assert.is(await sh(one, "docker inspect --format '{{.State.StartedAt}}' old"), started);
  const named = await sh(
    one,
    "docker exec old nslookup servers 127.0.0.11 2>&1 | grep -o '10[.]2[.]1[.][0-9]*' | sort -u",
  );
  assert.equal(named.split("\n"), ["10.2.1.1", "10.2.1.2"]);
  await sh(one, "docker exec old ping -c 1 -s 1400 -w 5 10.2.2.1");
});

test("verify.yml tests the paths of these containers", async () => {
  const { output } = await play("playbooks/verify.yml", ...FLAT, "--extra-vars", "weave_verify_report=");
  assert.match(output, /10\.2\.1\.2 +apollo1: api/);
  assert.match(output, /10\.2\.2\.1 +apollo2: web/);
  assert.match(output, /All \d+ paths work/);
});

test("it stays through a restart of Docker, a reboot, and a bridge that was deleted by hand", async () => {
  await sh(one, "systemctl restart docker");
  // Docker gives addresses in the order in which it starts containers.
  await getsAgain(two, "10.2.1.1", / of apollo1$/);
  await two.reboot();
  await sh(two, "timeout 30 sh -c 'until docker exec web true; do sleep 0.2; done'");
  await getsAgain(one, "10.2.2.1", /^web of apollo2$/);
  await sh(two, "ip link del weave-vx; ip link del weave");
  await play("site.yml", ...FLAT, "--limit", "apollo2");
  assert.is(await get(one, "web", "10.2.2.1"), "web of apollo2");
});

test("what has drifted is replaced, but not under containers, and what prune removes is made again", async () => {
  const before = await fingerprint(one);
  for (const options of [{ ...MODULE, mtu: 1400 }, { ...MODULE, network: "other" }, { state: "absent" }]) {
    const { msg } = await docker(one).module(options);
    assert.match(
      msg ?? "",
      "network flat must have no containers before it can be replaced or removed (found api, old, web)",
    );
  }
  const { msg } = await docker(one).module({ ...MODULE, network: "bridge" });
  assert.match(msg ?? "", "(found api, old, web)");
  const bridge = { datapath: "vxlan", underlay: one.address, peers: [two.address], host_index: 1 };
  for (const check of [true, false]) {
    const rejected = await runModule(one, "weave_bridge", { ...bridge, network: "10.3.0.0/16" }, { check });
    assert.match(
      rejected.msg ?? "",
      /^network: the bridge must keep address 10\.2\.0\.1 while containers use it \(found containers api, old, web on Docker network flat\)\. /,
    );
  }
  assert.equal(differences(before, await fingerprint(one)), []);

  await sh(one, "docker rm --force api web; docker stop old");
  assert.match((await docker(one).module({ ...MODULE, mtu: 1400 })).msg ?? "", "(found old)");
  await sh(one, "docker rm --force old");
  const predicted = await docker(one).module({ ...MODULE, mtu: 1400 }, true);
  assert.equal(await docker(one).module({ ...MODULE, mtu: 1400 }), predicted);
  assert.is(await networkOf(one), "10.2.0.0/16 10.2.1.0/24 10.2.0.1 1400");
  assert.equal((await docker(one).module(MODULE)).changes, ["Docker network flat"]);

  await sh(one, "docker system prune --force; ip link show weave");
  assert.equal((await docker(one).module(MODULE)).changes, ["Docker network flat"]);
  assert.is(await networkOf(one), "10.2.0.0/16 10.2.1.0/24 10.2.0.1 1450");
  assert.equal((await docker(one).module(MODULE)).changes, undefined);
});

test("names and addresses that Docker would not accept are rejected; Docker does not make a missing bridge", async () => {
  await sh(one, "docker network create --subnet 10.9.0.0/16 app");
  const other = { bridge: "br9", bridge_address: "10.9.0.1/16", fixed_cidr: "10.9.1.0/24" };
  assert.match((await docker(one).module({ ...other, network: "app" })).msg ?? "", 'another network "app"');
  assert.match(
    (await docker(one).module({ ...other, network: "mine" })).msg ?? "",
    "Docker network app with 10.9.0.0/16",
  );
  await sh(one, "docker network rm app");
  assert.match((await docker(one).module({ ...other, network: "mine" })).msg ?? "", "br9 must exist first");
  assert.is(await sh(one, "docker network ls --quiet --filter name=mine; ls /sys/class/net | grep br9 || true"), "");
});

test("a stopped Docker is started, and then has the network; a check predicts it", async () => {
  await sh(one, "docker network rm flat; systemctl stop docker.socket docker");
  const handler = { ...MODULE, state: "restarted" };
  const predicted = await docker(one).module(MODULE, true);
  assert.equal(await docker(one).module(MODULE), predicted);
  assert.is(predicted["restart_required"], true);
  assert.match((await docker(one).module({ ...MODULE, state: "absent" })).msg ?? "", "found it stopped");
  const restart = await docker(one).module(handler, true);
  assert.equal(await docker(one).module(handler), restart);
  assert.is(await networkOf(one), "10.2.0.0/16 10.2.1.0/24 10.2.0.1 1450");
  await sh(one, "systemctl stop docker.socket docker");
  // Docker would start with none of them: it keeps its networks.
  for (const options of [{ ...MODULE, mtu: 1370 }, { ...MODULE, network: "bridge" }, { state: "absent" }]) {
    assert.match((await docker(one).module(options, true)).msg ?? "", "(found it stopped). Start it");
  }
  assert.equal((await docker(one).module(handler)).changes, ["Docker", "Docker network flat"]);
  assert.equal((await docker(one).module(MODULE)).changes, undefined);
});

test("from one network to the other and back: predicted, with one restart each, which names what it stops", async () => {
  await sh(two, "docker rm --force web");
  const address = (): Promise<string> => sh(one, `docker inspect --format '${ADDRESS}' plain`);
  await sh(one, `docker run --detach --name plain --stop-timeout=1 ${image} sleep 9999`);
  for (const to of [VXLAN, FLAT]) {
    const before = await pids();
    const check = await play("site.yml", ...to, "--check", "--diff");
    const disruptions = ({ results }: PlaybookRun): string =>
      JSON.stringify(results.map(({ host, result }) => (host === one.name ? result["disruptions"] : undefined)));
    assert.match(disruptions(check), "Docker: its restart stops 1 running container");
    const run = await play("site.yml", ...to, "--diff");
    assertPredicted(check, run);
    assert.equal(changedTasks(await play("site.yml", ...to)), []);
    assert.not.equal(await pids(), before);
    assert.match(await docker(two).network(), to === VXLAN ? /^weave 10\.2\.2\.0\/24 1450/ : /^docker0/);
    // Without a restart policy it stays stopped, and then starts on the default network as that now is.
    await sh(one, "docker start plain");
    assert.match(await address(), to === VXLAN ? /^10\.2\.1\./ : /^172\.17\./);
  }
  await sh(one, "docker rm --force plain");
  assert.is(await networkOf(two), "10.2.0.0/16 10.2.2.0/24 10.2.0.2 1450");
});

test("a teardown is rejected while containers are on the network, and then removes it without a restart", async () => {
  await serve(two, "web");
  const before = await pids();
  const rejected = await ansiblePlaybook(cluster.inventory, ["playbooks/teardown.yml", ...FLAT, "--limit", "apollo2"]);
  assert.is.not(rejected.status, 0);
  assert.match(rejected.output, "(found web)");
  assert.is(await get(two, "web", "10.2.2.1"), "web of apollo2");
  await sh(two, "docker rm --force web");
  const check = await play("playbooks/teardown.yml", ...FLAT, "--check", "--diff");
  assertPredicted(check, await play("playbooks/teardown.yml", ...FLAT, "--diff"));
  assert.equal(await pids(), before);
  for (const host of cluster.hosts) {
    assert.is(
      await sh(host, "docker network ls --quiet --filter name=flat; ls /sys/class/net | grep weave || true"),
      "",
    );
  }
  assert.equal(changedTasks(await play("playbooks/teardown.yml", ...FLAT)), []);
});

test("with the Weave router: a check predicts the run, Docker does not restart, and containers reach the other host's", async () => {
  for (const host of cluster.hosts) await installWeaveStandIn(host);
  const router = ["--extra-vars", "weave_datapath=router weave_docker_network=flat"];
  const before = await pids();
  const check = await play("site.yml", ...router, "--check", "--diff");
  assertPredicted(check, await play("site.yml", ...router, "--diff"));
  assert.equal(await pids(), before);
  assert.equal(changedTasks(await play("site.yml", ...router)), []);
  assert.is(await networkOf(two), "10.2.0.0/16 10.2.2.0/24 10.2.0.2 1438");
  for (const host of cluster.hosts) await serve(host, "web");
  assert.is(await get(one, "web", "10.2.2.1"), "web of apollo2");
  assert.is(await get(two, "web", "10.2.1.1"), "web of apollo1");
  const { output } = await play("playbooks/verify.yml", ...router);
  assert.match(output, /All \d+ paths work/);
});

test.run();
