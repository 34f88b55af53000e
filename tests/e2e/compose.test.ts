import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, ROOT } from "./playbook";

/** examples/compose with Debian 13's Compose, which is Docker's own of version 2. */
const test = suite("examples/compose");
let cluster: Cluster;

const compose = async (host: Host, file: string, ...args: string[]): Promise<string> => {
  const set = ["env", `HOST=${host.name}`, `IMAGE=${await busyboxImage(host)}`];
  const { stdout } = await host.exec([...set, "docker", "compose", "--file", `/srv/example/${file}`, ...args]);
  return stdout.trim();
};

/** What answers on port 8080 of each container of the projects on all hosts, asked by the first and the last host. */
async function answers(file: string): Promise<string[]> {
  const addressesOf = async (host: Host): Promise<string> => {
    const ids = (await compose(host, file, "ps", "--quiet")).split("\n");
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    return (await host.exec(["docker", "inspect", "--format", format, ...ids])).stdout.trim();
  };
  const addresses = (await Promise.all(cluster.hosts.map(addressesOf))).flatMap((each) => each.split("\n"));
  const urls = addresses.map((address) => `http://${address}:8080/`);
  const asked = cluster.hosts.map((host) => host.exec(["curl", "-sS", "-m", "5", ...urls]));
  const [first, last] = (await Promise.all(asked)).map(({ stdout }) => stdout.trim().split("\n").sort());
  assert.equal(first, last);
  return first ?? [];
}

const ALL = ["api of apollo1", "api of apollo2", "web of apollo1", "web of apollo2"];

async function provision(network: string): Promise<void> {
  const set = ["weave_datapath=vxlan", `weave_docker_network=${network}`].flatMap((each) => ["--extra-vars", each]);
  const run = await ansiblePlaybook(cluster.inventory, ["site.yml", ...set], { ansible: "newest" });
  assert.is(run.status, 0, run.output);
}

test.before(async () => {
  cluster = await bootHosts(2, "trixie");
  for (const host of cluster.hosts) {
    for (const file of ["compose.yml", "compose-bridge.yml"])
      await host.write(`/srv/example/${file}`, readFileSync(join(ROOT, "examples/compose", file)));
  }
});
test.after(() => cluster.down());

test("on a Docker network of its own: two services on one port on each of two hosts, and one name for several", async () => {
  await provision("weave");
  await Promise.all(cluster.hosts.map((host) => compose(host, "compose.yml", "up", "--detach")));
  assert.equal(await answers("compose.yml"), ALL);
  const one = cluster.host("apollo1");
  await compose(one, "compose.yml", "up", "--detach", "--no-recreate", "--scale", "web=3");
  const named = await compose(one, "compose.yml", "exec", "-T", "api", "nslookup", "web");
  assert.is(new Set(named.match(/10\.2\.1\.\d+/g)).size, 3, named);
  // The network is not the project's.
  await Promise.all(cluster.hosts.map((host) => compose(host, "compose.yml", "down", "--timeout", "1")));
});

test("on Docker's default network, as Apollo had it", async () => {
  await provision("bridge");
  await Promise.all(cluster.hosts.map((host) => compose(host, "compose-bridge.yml", "up", "--detach")));
  assert.equal(await answers("compose-bridge.yml"), ALL);
});

test.run();
