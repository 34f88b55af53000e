import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, changedTasks, type PlaybookRun } from "./playbook";

/** What the README of examples/nodejs-rest-api shows, with its commands. */
const EXAMPLE = "examples/nodejs-rest-api";
const test = suite(EXAMPLE);
let cluster: Cluster;
let docker: string[];
let requests: Requests;

async function play(...args: string[]): Promise<PlaybookRun> {
  const run = await ansiblePlaybook(cluster.inventory, args);
  assert.is(run.status, 0, run.output);
  return run;
}

const scale = (instances: number): Promise<PlaybookRun> =>
  play(`${EXAMPLE}/site.yml`, "--extra-vars", `instances=${instances}`);

const output = async (host: Host, script: string): Promise<string> => (await host.exec(["sh", "-c", script])).stdout;

/** Which instances answer, one word for each answer: what the service says of itself. */
const who = (answers: string): string[] =>
  answers
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .map(({ host, address }: { host: string; address: string }) => `${host} ${address}`)
    .sort();

/** The instances by Docker, each with its address. */
async function instances(): Promise<string[]> {
  const script =
    "docker ps -q --filter label=service=nodejs-rest-api | " +
    "xargs -r docker inspect -f '{{.Config.Hostname}} {{.NetworkSettings.IPAddress}}'";
  const lines = await Promise.all(cluster.hosts.map((host) => output(host, script)));
  return lines.join("").trim().split("\n").sort();
}

/** Asks by the short name, each time from another container of a host. */
const byName = async (host: Host, times: number): Promise<string[]> => {
  const ask = `http.get("http://nodejs-rest-api:8080", (answer) => answer.pipe(process.stdout))`;
  return who(await output(host, `for i in $(seq ${times}); do docker run --rm nodejs-rest-api node -e '${ask}'; done`));
};

/** Asks HAProxy from another host. */
const byBalancer = async (times: number): Promise<string[]> => {
  const ask = "curl -sS -m 5 -H 'Host: nodejs-rest-api.example.com' http://192.168.50.11/";
  return who(await output(cluster.host("apollo2"), `for i in $(seq ${times}); do ${ask}; done`));
};

interface Requests {
  /** Ends them; returns the status of each answer, 000 where there was none. */
  end(): Promise<string[]>;
}

/** Asks HAProxy without end. */
async function startRequests(host: Host): Promise<Requests> {
  const ask = `curl -s -m 5 -o /dev/null -w '%{http_code}\\n' -H 'Host: nodejs-rest-api.example.com' http://192.168.50.11/`;
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
  cluster = await bootHosts(3);
  await play("site.yml", "--extra-vars", `@${EXAMPLE}/network.yml`);
  docker = await dockerStarts();
});
test.after(() => cluster.down());

test("two instances on two hosts answer by their name and by HAProxy", async () => {
  await play(`${EXAMPLE}/site.yml`);
  const running = ["nodejs-rest-api-1 10.2.1.0", "nodejs-rest-api-2 10.2.2.0"];
  assert.equal(await instances(), running);
  assert.equal(await byName(cluster.host("apollo1"), 2), running);
  assert.equal(await byBalancer(2), running);
});

test("with four, two of them on one host have the same port, and names and HAProxy follow", async () => {
  requests = await startRequests(cluster.host("apollo3"));
  await scale(4);
  const running = [
    "nodejs-rest-api-1 10.2.1.0",
    "nodejs-rest-api-2 10.2.2.0",
    "nodejs-rest-api-3 10.2.3.0",
    "nodejs-rest-api-4 10.2.1.1",
  ];
  assert.equal(await instances(), running);
  assert.equal(await byName(cluster.host("apollo2"), 4), running);
  assert.equal(await byBalancer(4), running);
});

test("a second run changes nothing", async () => {
  assert.equal(changedTasks(await scale(4)), []);
});

test("with two again, the others are gone", async () => {
  await scale(2);
  const running = ["nodejs-rest-api-1 10.2.1.0", "nodejs-rest-api-2 10.2.2.0"];
  assert.equal(await instances(), running);
  assert.equal(await byName(cluster.host("apollo2"), 2), running);
  assert.equal(await byBalancer(2), running);
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

test.run();
