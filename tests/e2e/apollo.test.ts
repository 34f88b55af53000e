import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { busyboxImage } from "../hosts/images";
import { ALL } from "../runner/sample";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { DockerHost } from "./docker_host";
import { bootHosts } from "./hosts";
import { startPings } from "./pings";
import { addPlainUser } from "./plain_user";
import { ansiblePlaybook, changedTasks, type PlaybookRun, ROOT } from "./playbook";
import { assertPredicted } from "./prediction";
import { ADDRESS } from "./services";
import { sh } from "./shell";

/** The role in place of Apollo's, in trees of both generations, run as they were: by a plain user, without become. */
const test = suite("in Apollo's place");
let cluster: Cluster;
/** Apollo's option for Docker's directory, or what docs/migrating-from-apollo.md has in its place for Docker 23 and newer. */
let dataRoot: "--graph" | "--data-root";

/** Copies a tree with the role in it, and makes an inventory as Apollo's were: one group, and a user who may use sudo. */
async function tree(
  generation: "2015" | "2016",
  names: readonly string[],
): Promise<(...args: string[]) => Promise<PlaybookRun>> {
  const directory = join(cluster.directory, `apollo-${generation}`);
  cpSync(join(__dirname, "apollo", generation), directory, { recursive: true });
  cpSync(join(ROOT, "roles/weave"), join(directory, "roles/weave"), { recursive: true });
  if (generation === "2015") {
    const tasks = join(directory, "roles/docker/tasks/main.yml");
    writeFileSync(tasks, readFileSync(tasks, "utf8").replaceAll("--graph", dataRoot));
  }
  const only = names.join(",");
  // Without this project's ansible.cfg: what Apollo's trees have is theirs.
  return (...args) =>
    ansiblePlaybook(
      cluster.inventory,
      [join(directory, "site.yml"), "--limit", only, "--extra-vars", "ansible_user=deploy", ...args],
      {
        env: { ANSIBLE_CONFIG: join(directory, "ansible.cfg") },
      },
    );
}

/** What the role's modules did of a play; Ansible's own tell more of a run than of a check. */
function ofTheRole(run: PlaybookRun): PlaybookRun {
  return {
    ...run,
    results: run.results.filter(
      ({ task }) => task.startsWith("weave : ") && !/restart weave|wait for weave/.test(task),
    ),
  };
}

/** What Apollo's tasks of 2015 made of host N; where they had an upstart job run the router, it is launched by hand. */
const apollosTasks = (number: number): string => `
set -eu
echo 'source /etc/network/interfaces.d/*.cfg' >>/etc/network/interfaces
cat >/etc/network/interfaces.d/weave.cfg <<'END'
auto weave
iface weave inet manual
  pre-up /usr/local/bin/weave create-bridge
  post-up ip addr add dev weave 10.2.0.${number}/16
  pre-down ifconfig weave down
  post-down brctl delbr weave
END
chmod 644 /etc/network/interfaces.d/weave.cfg
ifup weave
printf '%s\\n' 'description "Weave Docker Network Service"' 'start on started docker' >/etc/init/weave.conf
echo 'DOCKER_OPTS="$DOCKER_OPTS ${dataRoot}=/var/lib/docker"' >>/etc/default/docker
echo 'DOCKER_OPTS="--bridge=weave --fixed-cidr=10.2.${number}.0/24 --dns 172.17.42.1 --dns 8.8.8.8 --dns-search service.consul"' >>/etc/default/docker
printf '{"log-level": "warn"}' >/etc/docker/daemon.json
systemctl restart docker
/usr/local/bin/weave launch 192.168.50.12
`;

test.before(async () => {
  cluster = await bootHosts(3);
  await Promise.all(cluster.hosts.map(addPlainUser));
  const [provisioned, fresh, of2016] = cluster.hosts;
  assert.ok(provisioned && fresh && of2016);
  dataRoot = (await new DockerHost(fresh).major()) < 23 ? "--graph" : "--data-root";
  await installWeaveStandIn(provisioned, { version: "1.0.3" });
  await installWeaveStandIn(fresh, { version: "1.0.3" });
  await installWeaveStandIn(of2016, { version: "1.4.6" });
  await sh(of2016, "mv /usr/local/bin/weave /mnt/weave");
  await sh(provisioned, "mkdir -p /etc/init");
  await sh(provisioned, apollosTasks(1));
  // The role docker has been here before: what it changes in a play, a check of that play can't predict.
  await sh(fresh, `echo 'DOCKER_OPTS="$DOCKER_OPTS ${dataRoot}=/var/lib/docker"' >>/etc/default/docker`);
});
test.after(() => cluster.down());

/** What must not be restarted: Docker, the router, a container. */
const RUNNING = "systemctl show docker --property MainPID; docker inspect --format '{{.State.StartedAt}}' weave app";

test("2015: a host that Apollo has provisioned is taken over, a fresh one provisioned, by one run", async () => {
  const host = cluster.host("apollo1");
  await sh(host, `docker run --detach --name app ${await busyboxImage(host)} sleep 1d`);
  const address = await sh(host, `docker inspect --format '${ADDRESS}' app`);
  assert.match(address, /^10\.2\.1\./);
  const play = await tree("2015", ["apollo1", "apollo2"]);
  const before = await sh(host, RUNNING);
  const pings = [await startPings(host, address), await startPings(host, "10.2.0.1", "app")];

  const check = await play("--check");
  assert.is(check.status, 0, check.output);
  const run = await play();
  assert.is(run.status, 0, run.output);
  assertPredicted(ofTheRole(check), ofTheRole(run));

  for (const ping of pings) {
    const { answered, lost } = await ping.end();
    assert.equal(lost, []);
    assert.ok(answered > 50, `${answered} pings`);
  }
  assert.is(await sh(host, RUNNING), before, "neither Docker nor the router nor the container was restarted");
  const restarts = changedTasks(run).filter((task) => /restart docker$/i.test(task));
  assert.equal(restarts, ["apollo2: weave : restart docker"], "once, only on the fresh host");
  assert.equal(changedTasks(await play()), []);
});

test("2015: two roles that each own a line of Docker's file, in turn: no change and no restart after the first run", async () => {
  const host = cluster.host("apollo2");
  const dockerd = await sh(host, "tr '\\0' ' ' </proc/$(cat /run/docker.pid)/cmdline");
  assert.match(dockerd, ` ${dataRoot}=/var/lib/docker `);
  assert.match(dockerd, " --bridge=weave ");
  const lines = (await sh(host, "grep ^DOCKER_OPTS= /etc/default/docker")).split("\n");
  assert.is(lines.filter((line) => line === `DOCKER_OPTS="$DOCKER_OPTS ${dataRoot}=/var/lib/docker"`).length, 1);
  const play = await tree("2015", ["apollo2"]);
  const before = await sh(host, "cat /etc/default/docker; systemctl show docker --property MainPID");
  for (let round = 0; round < (ALL ? 10 : 2); round++) {
    assert.equal(changedTasks(await play("--tags", "docker,weave")), []);
  }
  assert.is(await sh(host, "cat /etc/default/docker; systemctl show docker --property MainPID"), before);
});

test("2015: what Apollo's own acceptance list asks for is there on both", async () => {
  for (const { name, number } of cluster.hosts.slice(0, 2)) {
    const host = cluster.host(name);
    assert.match(await sh(host, "ip -o -4 addr show dev weave"), ` 10.2.0.${number}/16 `);
    assert.match(await host.read("/etc/network/interfaces"), "source /etc/network/interfaces.d/*");
    assert.is(await sh(host, "stat -c %a /etc/network/interfaces.d/weave.cfg"), "644");
    assert.match(await host.read("/etc/network/interfaces.d/weave.cfg"), "iface weave inet manual");
    const options = await host.read("/etc/default/docker");
    assert.match(options, `--bridge=weave --fixed-cidr=10.2.${number}.0/24`);
    assert.match(options, /--dns-search[ =]service\.consul/);
    assert.match(await sh(host, "docker ps --format '{{.Names}}'"), "weave");
  }
});

test("2015: its text of Docker's options, as a group variable with the role's own in it", async () => {
  const play = await tree("2015", ["apollo1"]);
  const opts =
    "--bridge=weave --fixed-cidr={{ weave_docker_subnet }} --dns 172.17.42.1 --dns-search service.{{ consul_domain }}";
  const run = await play("--check", "--diff", "--extra-vars", JSON.stringify({ weave_docker_opts: opts }));
  assert.is(run.status, 0, run.output);
  assert.match(run.output, "--fixed-cidr=10.2.1.0/24");
  assert.not.match(run.output, /^\+DOCKER_OPTS=.*8\.8\.8\.8/m);
});

test("2016: docker0 stays; router, proxy and an address for the host, by the script at /mnt/weave", async () => {
  const host = cluster.host("apollo3");
  const docker = await sh(host, "systemctl show docker --property MainPID");
  const play = await tree("2016", ["apollo3"]);
  const check = await play("--check");
  assert.is(check.status, 0, check.output);
  const run = await play();
  assert.is(run.status, 0, run.output);
  assertPredicted(ofTheRole(check), ofTheRole(run));
  assert.is(await sh(host, "docker ps --format '{{.Names}}' | sort | xargs"), "weave weaveproxy");
  assert.match(await sh(host, "cat /etc/systemd/system/weave.service"), "/mnt/weave");
  assert.match(await sh(host, "ip -o -4 addr show dev weave"), " inet ");
  assert.match(await sh(host, "docker network inspect --format '{{.Options}}' bridge"), "docker0");
  assert.is(await sh(host, "systemctl show docker --property MainPID"), docker, "Docker was not restarted");
  assert.equal(changedTasks(await play()), []);
});

test("2016: handlers of its names are there for the tree's other roles", async () => {
  await sh(cluster.host("apollo3"), "echo drifted >/etc/registrator.env");
  const play = await tree("2016", ["apollo3"]);
  const { status, output, results } = await play("--tags", "registrator");
  assert.is(status, 0, output);
  const ran = results.filter(({ outcome }) => outcome === "ok").map(({ task }) => task.replace(/.* : /, ""));
  for (const name of ["reload systemd", "restart weave", "restart weaveproxy", "wait for weave socket"]) {
    assert.ok(ran.includes(name), `${name} in ${ran.join(", ")}`);
  }
});

test.run();
