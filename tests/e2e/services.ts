import * as assert from "uvu/assert";
import { busyboxImage } from "../hosts/images";
import type { Machine } from "../hosts/machine";

/** A container with an HTTP service on port 8080 that answers with the service's name. */
export interface Service {
  readonly name: string;
  readonly host: Machine;
  readonly address: string;
}

/** The hosts of a cluster, or some of them. */
interface Machines {
  readonly hosts: readonly Machine[];
}

/** Who reached which service, by its address and port. */
export interface Reach {
  /** A host's name for the node itself, a service's name for a container. */
  readonly from: string;
  readonly to: Service;
  readonly ok: boolean;
}

const PORT = 8080;

/** For `docker inspect --format`: the address on the default network. API 1.52 has no other place for it. */
export const ADDRESS = "{{with .NetworkSettings.Networks.bridge}}{{.IPAddress}}{{end}}";

/**
 * In how many seconds a restarted container is reached again. From Docker 28 on it has a new MAC address, and a neighbour that knows the
 * former one asks for it after some seconds.
 */
export const NEIGHBOURS_SECONDS = 20;

/** Starts `count` services on each host by plain `docker run`, without any published port; Docker starts them again after a reboot. */
export async function startServices(cluster: Machines, count: number): Promise<void> {
  await Promise.all(
    cluster.hosts.map(async (host) => {
      const image = await busyboxImage(host);
      for (const name of serviceNames(host, count)) {
        const serve = `mkdir -p /www && echo ${name} > /www/index.html && exec httpd -f -p ${PORT} -h /www`;
        await host.exec([
          "docker",
          "run",
          "--detach",
          "--restart=always",
          "--stop-timeout=1",
          "--name",
          name,
          image,
          "sh",
          "-c",
          serve,
        ]);
      }
    }),
  );
}

/** The services as they run now: a container gets an address at each start. */
export async function findServices(cluster: Machines, count: number): Promise<Service[]> {
  const found = await Promise.all(
    cluster.hosts.map(async (host) => {
      const names = serviceNames(host, count);
      const { stdout } = await host.exec(["docker", "inspect", "--format", ADDRESS, ...names]);
      const addresses = stdout.trim().split("\n");
      return names.map((name, index) => ({ name, host, address: addresses[index] ?? "" }));
    }),
  );
  return found.flat();
}

function serviceNames(host: Machine, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${host.name}-${String.fromCharCode(97 + index)}`);
}

/** Tries every service from every node and from every container, itself included. */
export async function reachAll(cluster: Machines, services: readonly Service[]): Promise<Reach[]> {
  const fromNodes = cluster.hosts.map((host) => reachFrom(host, host.name, ["sh", "-c"], services));
  const fromContainers = services.map(({ host, name }) =>
    reachFrom(host, name, ["docker", "exec", name, "sh", "-c"], services),
  );
  return (await Promise.all([...fromNodes, ...fromContainers])).flat();
}

/**
 * Fails unless every host and every container reaches the containers of the `serving` hosts, `count` of each; given so many seconds, if
 * they do within them.
 */
export async function assertAllReached(
  cluster: Machines,
  serving: Machines,
  count: number,
  seconds = 0,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  const services = await findServices(serving, count);
  const reached = await reachAll(cluster, services);
  const blocked = reached.filter(({ ok }) => !ok).map(({ from, to }) => `${from} → ${to.name}`);
  const left = (end - Date.now()) / 1000;
  if (blocked.length > 0 && left > 0) return assertAllReached(cluster, serving, count, left);
  const paths = (cluster.hosts.length + services.length) * services.length;
  assert.equal({ blocked, paths: reached.length }, { blocked: [], paths });
}

/** One shell asks all services in turn: busybox's nc on either side, a second at most for each. */
async function reachFrom(
  host: Machine,
  from: string,
  shell: readonly string[],
  services: readonly Service[],
): Promise<Reach[]> {
  const ask = services.map(
    ({ address }) => `echo $(printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc -w 2 ${address} ${PORT} | tail -n 1)`,
  );
  const { stdout } = await host.exec([...shell, ask.join("\n")], { check: false, timeoutSeconds: 60 });
  const answers = stdout.split("\n");
  return services.map((to, index) => ({ from, to, ok: answers[index] === to.name }));
}
