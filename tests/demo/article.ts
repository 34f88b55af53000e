import { readFileSync } from "node:fs";
import { consulProgram } from "../built/consul";
import { changedTasks } from "../e2e/playbook";
import { byName, EXAMPLE, knownInstances, SERVICE } from "../e2e/rest_service";
import type { Cluster } from "../hosts/cluster";
import { detail, heading } from "./screen";
import { expectThat, play } from "./steps";

const REPORT = "report.html";

/**
 * `npm run demo -- --article`: what Capgemini's article about Apollo shows, with real Consul and HAProxy. Throws at the first claim
 * that does not hold. With `keep`, the hosts keep what was set up.
 */
export async function article(cluster: Cluster, keep: boolean): Promise<void> {
  const network = ["site.yml", "--extra-vars", `@${EXAMPLE}/network.yml`];
  const set = `consul_file=${await consulProgram()}`;
  const service = (count: number): string[] => [`${EXAMPLE}/site.yml`, "--extra-vars", `instances=${count} ${set}`];
  const [one, two] = [cluster.host("apollo1"), cluster.host("apollo2")];
  const shell = async (host: typeof one, script: string): Promise<void> => {
    detail(`${host.name}# ${script}`);
    for (const line of (await host.exec(["sh", "-c", script])).stdout.trimEnd().split("\n")) detail(`  ${line}`);
  };

  heading(`1. The network: ansible-playbook ${network.join(" ")}`);
  await play(cluster, network);
  await shell(one, "cat /etc/network/interfaces.d/weave.cfg; grep ^DOCKER_OPTS /etc/default/docker");
  expectThat(changedTasks(await play(cluster, network)).length === 0, "a second run changes nothing", "");

  heading(`2. Two instances on two hosts: ansible-playbook ${EXAMPLE}/site.yml`);
  await play(cluster, service(2));
  await serving(cluster, 2);
  await shell(one, "consul members");

  heading("3. Four instances, two of them on apollo1, all on port 8080: the same with -e instances=4");
  await play(cluster, service(4));
  const four = await serving(cluster, 4);
  expectThat(
    four.filter((instance) => instance.includes(" 10.2.1.")).length === 2,
    "two run on one host, on one port, each at its own address",
    four.join("; "),
  );
  await shell(one, "docker ps --filter label=service --format '{{.Names}} publishes no port: \"{{.Ports}}\"'");
  await shell(one, "consul catalog services");
  await shell(two, `docker run --rm ${SERVICE} node -e 'dns.lookup("${SERVICE}", { all: true }, console.log)'`);
  const ask = `curl -s -H 'Host: ${SERVICE}.example.com' http://192.168.50.11/`;
  await shell(two, `for i in 1 2 3 4; do ${ask}; done`);

  heading(`4. The picture of the cluster: ansible-playbook playbooks/verify.yml`);
  await play(cluster, ["playbooks/verify.yml", "--extra-vars", `weave_verify_report=${REPORT}`]);
  const page = readFileSync(REPORT, "utf8");
  const instance = new RegExp(
    `<b>${SERVICE}-\\d-\\w+</b> <span class="quiet">10\\.[\\d.]+</span><br><span>service ${SERVICE}, port 8080<`,
    "g",
  );
  const listed = page.match(instance)?.length ?? 0;
  expectThat(
    listed === 4,
    `every host and container reaches every other, and the picture has all 4 instances; open ${REPORT} in a browser`,
    `${REPORT} has ${listed}`,
  );

  heading("5. apollo2 goes off, and on again");
  await two.stop();
  await serving(cluster, 3);
  await two.boot();
  await serving(cluster, 4);

  if (keep) return;
  heading(`6. Away with it: ansible-playbook ${EXAMPLE}/remove.yml playbooks/teardown.yml`);
  await play(cluster, [`${EXAMPLE}/remove.yml`, "playbooks/teardown.yml"]);
  const left = await Promise.all(
    cluster.hosts.map((host) =>
      host.exec(["sh", "-c", "ip -o link | grep -w weave; docker ps -aq; ls /var/lib/private"]),
    ),
  );
  expectThat(
    left.every(({ stdout }) => stdout === ""),
    "no container, no bridge and no data of Consul's are left; Docker is back on docker0",
    left.map(({ stdout }) => stdout).join("; "),
  );
}

async function serving(cluster: Cluster, count: number): Promise<string[]> {
  const running = await knownInstances(cluster, count);
  for (const instance of running) detail(`${instance}:8080`);
  expectThat(true, `Docker, Consul's catalogue and HAProxy have the same ${count} instances`, "");
  const named = await byName(cluster.host("apollo1"));
  expectThat(`${named}` === `${running}`, `a container reaches all ${count} by the name ${SERVICE}`, named.join("; "));
  return running;
}
