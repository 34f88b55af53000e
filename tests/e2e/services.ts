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
      const { stdout } = await host.exec(["docker", "inspect", "--format", "{{.NetworkSettings.IPAddress}}", ...names]);
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
