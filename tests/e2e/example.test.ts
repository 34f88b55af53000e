import { suite } from "uvu";
import * as assert from "uvu/assert";
import { consulProgram } from "../built/consul";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { waitFor } from "../hosts/wait";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, changedTasks, type PlaybookRun } from "./playbook";
import { ASK_HAPROXY, byName, EXAMPLE, knownInstances, SERVICE } from "./rest_service";

/** What the README of examples/nodejs-rest-api shows, with Debian's Consul 1.8.7: three servers on three hosts. */
const test = suite(EXAMPLE);
let cluster: Cluster;
let docker: string[];
let requests: Requests;
let consul: string;

async function play(...args: string[]): Promise<PlaybookRun> {
  const run = await ansiblePlaybook(cluster.inventory, args);
  assert.is(run.status, 0, run.output);
  return run;
}

const scale = (instances: number): Promise<PlaybookRun> =>
  play(`${EXAMPLE}/site.yml`, "--extra-vars", `instances=${instances} consul_file=${consul}`);

const output = async (host: Host, script: string): Promise<string> => (await host.exec(["sh", "-c", script])).stdout;

/** Asserts that so many instances answer, and that Consul's catalogue, its DNS and HAProxy lead to all of them and to no other. */
async function assertServing(count: number): Promise<string[]> {
  const running = await knownInstances(cluster, count);
  assert.equal(await byName(cluster.host("apollo1")), running);
  return running;
}

interface Requests {
  /** Ends them; returns the status of each answer, 000 where there was none. */
  end(): Promise<string[]>;
}

/** Asks HAProxy without end. */
async function startRequests(host: Host): Promise<Requests> {
  const ask = `curl -s -o /dev/null -w '%{http_code}\\n' ${ASK_HAPROXY}`;
  const loop = `while :; do ${ask}; sleep 0.1; done >/run/requests 2>&1 </dev/null & echo $!`;
  const pid = (await output(host, loop)).trim();
  return {
    async end() {
      await host.exec(["kill", pid]);
      return (await host.read("/run/requests")).trim().split("\n");
    },
  };
}

/** Since when Docker runs on each host. */
const dockerStarts = (): Promise<string[]> =>
  Promise.all(
    cluster.hosts.map((host) => output(host, "systemctl show docker --property ExecMainStartTimestampMonotonic")),
  );

test.before(async () => {
  consul = await consulProgram();
  cluster = await bootHosts(3);
  await play("site.yml", "--extra-vars", `@${EXAMPLE}/network.yml`);
  docker = await dockerStarts();
});
test.after(() => cluster.down());

test("two instances on two hosts answer by their name and by HAProxy, with three servers of Consul's", async () => {
  await scale(2);
  const running = await assertServing(2);
  assert.match(running.join("\n"), /^nodejs-rest-api-1 10\.2\.1\.\d+\nnodejs-rest-api-2 10\.2\.2\.\d+$/);
  const peers = await output(cluster.host("apollo2"), "curl -sS http://127.0.0.1:8500/v1/status/peers");
  assert.equal((JSON.parse(peers) as string[]).sort(), ["10.2.0.1:8300", "10.2.0.2:8300", "10.2.0.3:8300"]);
});

test("with four, two of them on one host and both on 8080, every container reaches every instance", async () => {
  requests = await startRequests(cluster.host("apollo3"));
  await scale(4);
  const subnets = (await assertServing(4)).map((instance) => /10\.2\.\d+/.exec(instance)?.[0]);
  assert.equal(subnets, ["10.2.1", "10.2.2", "10.2.3", "10.2.1"]);
});

test("a second run changes nothing", async () => {
  assert.equal(changedTasks(await scale(4)), []);
});

test("with two again, the others are gone", async () => {
  await scale(2);
  await assertServing(2);
});

test("meanwhile no request has failed, and Docker has not been restarted", async () => {
  const answers = await requests.end();
  assert.ok(answers.length > 20, `${answers.length} requests`);
  assert.equal(
    answers.filter((status) => status !== "200"),
    [],
  );
  assert.equal(await dockerStarts(), docker);
});

test("an instance that answers no more is taken out, and comes back when it does", async () => {
  const [two, id] = [cluster.host("apollo2"), `$(docker ps -q --filter label=service=${SERVICE})`];
  await output(two, `docker pause ${id}`);
  await assertServing(1);
  await output(two, `docker unpause ${id}`);
  await assertServing(2);
});

test("with one server off the others answer, and after its start it is as before", async () => {
  const two = cluster.host("apollo2");
  await two.stop();
  await assertServing(1);
  await two.boot();
  await assertServing(2);
  await waitFor({
    what: "all three servers",
    seconds: 30,
    everyMilliseconds: 500,
    probe: async () => (await output(two, "consul members")).match(/ alive +server /g)?.length === 3,
    diagnose: () => output(two, "consul members"),
  });
});

test("it can be removed again", async () => {
  await play(`${EXAMPLE}/remove.yml`);
  const left = "docker ps -aq; docker images -q; ss -Hltn '( sport = :80 or sport = :8500 )'; ls /var/lib/private";
  assert.equal(await Promise.all(cluster.hosts.map((host) => output(host, left))), ["", "", ""]);
  assert.equal(changedTasks(await play(`${EXAMPLE}/remove.yml`)), []);
});

test.run();
