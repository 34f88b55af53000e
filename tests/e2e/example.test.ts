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

/** Which instances have answered, by what each says of itself. */
const who = (answers: string): string[] => {
  const bodies: { host: string; address: string }[] = answers
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return [...new Set(bodies.map(({ host, address }) => `${host} ${address}`))].sort();
};

/** The instances by Docker, each with its address, in order. */
async function instances(): Promise<string[]> {
  const script =
    "docker ps -q --filter label=service=nodejs-rest-api | " +
    "xargs -r docker inspect -f '{{.Config.Hostname}} {{.NetworkSettings.IPAddress}}'";
  const lines = await Promise.all(cluster.hosts.map((host) => output(host, script)));
  return lines.join("").trim().split("\n").sort();
}

/** Whom a container reaches by the short name, each time by a connection of its own. */
const byName = async (): Promise<string[]> => {
  const program = `const ask = (times) => times > 0 && http.get(
    { host: "nodejs-rest-api", port: 8080, agent: false },
    (answer) => answer.on("end", () => ask(times - 1)).pipe(process.stdout, { end: false }));
  ask(12)`;
  return who(await output(cluster.host("apollo2"), `docker run --rm nodejs-rest-api node -e '${program}'`));
};

/** Whom HAProxy reaches, asked by another host; often enough, as the requests without end take turns of theirs. */
const byBalancer = async (): Promise<string[]> => {
  const ask = "curl -sS -m 5 -H 'Host: nodejs-rest-api.example.com' http://192.168.50.11/";
  return who(await output(cluster.host("apollo2"), `for i in $(seq 20); do ${ask}; done`));
};

/** Asserts that this many instances run, on both hosts, and that all ways lead to all of them. */
async function assertServing(count: number): Promise<void> {
  const running = await instances();
  assert.is(running.length, count);
  running.forEach((instance, index) => {
    // One after another on each of the two hosts; all on port 8080, each at an address of its host's.
    assert.match(instance, new RegExp(`^nodejs-rest-api-${index + 1} 10\\.2\\.${(index % 2) + 1}\\.\\d+$`));
  });
  assert.equal(await byName(), running);
  assert.equal(await byBalancer(), running);
}

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
  cluster = await bootHosts(2);
  await play("site.yml", "--extra-vars", `@${EXAMPLE}/network.yml`);
  docker = await dockerStarts();
});
test.after(() => cluster.down());

test("two instances on two hosts answer by their name and by HAProxy", async () => {
  await play(`${EXAMPLE}/site.yml`);
  await assertServing(2);
});

test("with four, two on each host, names and HAProxy lead to all", async () => {
  requests = await startRequests(cluster.host("apollo2"));
  await scale(4);
  await assertServing(4);
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

test.run();
