import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { waitFor } from "../hosts/wait";
import { ADDRESS } from "./services";

/** The service of examples/nodejs-rest-api, as its hosts, Consul, containers and HAProxy see it: "nodejs-rest-api-1 10.2.1.0". */
export const EXAMPLE = "examples/nodejs-rest-api";
export const SERVICE = "nodejs-rest-api";

/** How HAProxy, on the first host, is asked. */
export const ASK_HAPROXY = `-m 10 -H 'Host: ${SERVICE}.example.com' http://192.168.50.11/`;

const output = async (host: Host, script: string): Promise<string> => (await host.exec(["sh", "-c", script])).stdout;

/** Which instances have answered, by what each says of itself, in order. */
const who = (answers: string): string[] => {
  const bodies: { host: string; address: string }[] = answers
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return [...new Set(bodies.map(({ host, address }) => `${host} ${address}`))].sort();
};

/** The instances that run, by Docker of the hosts that are on, in order. */
export async function instances({ hosts }: Pick<Cluster, "hosts">): Promise<string[]> {
  const script =
    `docker ps -q --filter label=service=${SERVICE} --filter status=running | ` +
    `xargs -r docker inspect -f '{{if not .State.Paused}}{{.Config.Hostname}} ${ADDRESS}{{end}}'`;
  const on = hosts.filter((host) => host.isOn());
  const lines = await Promise.all(on.map(async (host) => (await output(host, script)).split("\n")));
  return lines.flat().filter(Boolean).sort();
}

/** The instances on port 8080 that this host's Consul knows as healthy, in order; none while its servers elect another to lead. */
export async function inCatalogue(host: Host): Promise<string[]> {
  const ask = `curl -sS --fail 'http://127.0.0.1:8500/v1/health/service/${SERVICE}?passing'`;
  const answer = await output(host, `${ask} || echo '[]'`);
  const entries = JSON.parse(answer) as { Service: { ID: string; Address: string; Port: number } }[];
  return entries
    .filter(({ Service: { Port } }) => Port === 8080)
    .map(({ Service: { ID, Address } }) => `${ID.replace(/-[^-]*$/, "")} ${Address}`)
    .sort();
}

/**
 * Whom a container of this host reaches by the service's short name, each time by a new connection, in order. Of more
 * than three addresses Consul tells three, at random.
 */
export async function byName(host: Host): Promise<string[]> {
  const program = `const ask = (times) => times > 0 && http.get(
    { host: "${SERVICE}", port: 8080, agent: false, timeout: 20000 },
    (answer) => answer.on("end", () => ask(times - 1)).pipe(process.stdout, { end: false }),
  ).on("timeout", () => { throw new Error("no answer in 20 s") });
  ask(40)`;
  const argv = ["docker", "run", "--rm", SERVICE, "node", "-e", program];
  return who((await host.exec(argv, { timeoutSeconds: 120 })).stdout);
}

/** Whom HAProxy reaches, asked by this host, in order; often enough, as others that ask it take turns of theirs. */
export async function byHaproxy(host: Host): Promise<string[]> {
  return who(await output(host, `for i in $(seq 20); do curl -sS ${ASK_HAPROXY}; done`));
}

/**
 * Waits until Consul's catalogue and HAProxy lead to all instances that run and to no other, `count` of them, and returns them.
 * Both are asked by the third host. Throws after a minute: Consul checks each second, and HAProxy asks it each second.
 */
export async function knownInstances(cluster: Cluster, count: number): Promise<string[]> {
  const other = cluster.host("apollo3");
  let seen: string[][] = [];
  await waitFor({
    what: `Docker, Consul and HAProxy to have the same ${count} instances`,
    seconds: 60,
    everyMilliseconds: 500,
    probe: async () => {
      seen = await Promise.all([instances(cluster), inCatalogue(other), byHaproxy(other)]);
      return seen.every((each) => each.length === count && `${each}` === `${seen[0]}`);
    },
    diagnose: () => JSON.stringify(seen),
  });
  return seen[0] ?? [];
}
