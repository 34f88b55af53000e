import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import type { Suite } from "../hosts/suites";
import { findServices } from "./services";
import { sh } from "./shell";

const OTHER = "other";

/**
 * Fails unless a container of the bridge reaches each host by its bridge's address, and one of another Docker network of the same
 * host reaches no container of the bridge, and is not reached, be that on its host or on another. By Docker's own rules: from
 * 28 on those of the table raw are among them.
 */
export async function assertNetworksApart(cluster: Cluster, suite: Suite): Promise<void> {
  const [first, second] = [cluster.host("apollo1"), cluster.host("apollo2")];
  const image = await busyboxImage(first);
  await sh(
    first,
    `docker network create ${OTHER}
    docker run --detach --rm --stop-timeout=1 --name ${OTHER} --network ${OTHER} ${image} sleep 1000`,
  );
  const other = await sh(
    first,
    `docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' ${OTHER}`,
  );
  const services = await findServices({ hosts: [first, second] }, 1);
  const inside = services.map(({ address }) => address);
  const hosts = cluster.hosts.map(({ number }) => `10.2.0.${number}`);

  const reached = await Promise.all([
    reachedFrom(first, "apollo1-a", [...hosts, ...inside, other]),
    reachedFrom(first, OTHER, inside),
    reachedFrom(second, "apollo2-a", [other]),
  ]);
  assert.equal(reached, [[...hosts, ...inside], [], []]);
  if (suite === "testing") {
    const rules = await sh(first, "iptables -w -t raw -S PREROUTING; iptables -w -S FORWARD");
    assert.match(rules, /-A PREROUTING -d 10\.2\.\S+ ! -i weave -j DROP/);
    assert.match(rules, "-A FORWARD -j DOCKER-FORWARD");
  }
  await sh(first, `docker stop ${OTHER}; docker network rm ${OTHER}`);
}

/** Which of these addresses answer a ping from a container. */
async function reachedFrom(host: Host, container: string, addresses: readonly string[]): Promise<string[]> {
  const script = addresses.map((address) => `ping -c 1 -W 2 ${address} >/dev/null 2>&1 && echo ${address}`).join("\n");
  const { stdout } = await host.exec(["docker", "exec", container, "sh", "-c", `${script}\ntrue`], {
    timeoutSeconds: 120,
  });
  return stdout.split("\n").filter(Boolean);
}
