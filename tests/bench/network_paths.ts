import * as assert from "uvu/assert";
import { ownInventory } from "../e2e/own_inventory";
import { intoContainer } from "../e2e/pings";
import { ansiblePlaybook } from "../e2e/playbook";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { networkOf, plug } from "./namespaces";

export const HOSTS = "host to host";
export const PLAIN = "containers without VXLAN";
export const VXLAN = "containers by VXLAN";
export const UNFILTERED = "containers by VXLAN, frames not filtered";
export const DOCKER = "containers by VXLAN, Docker network";
export const WIREGUARD = "containers by VXLAN and WireGuard";
export const SWARM = "containers by Swarm's overlay";
export const SWARM_ENCRYPTED = "containers by Swarm's encrypted overlay";
export const ALONE = "containers on one host";

/** How many hosts the paths need. */
export const PATHS_HOSTS = 6;

/** The host's second device on the wire. */
export const PLAIN_PLUG = "eth1";

/** A path between two ends: the network namespaces of both, and the address of the second. */
export interface Path {
  readonly from: string;
  readonly to: string;
  readonly address: string;
  /** Where a new container on this path starts, and the network that it gets; null if no container is part of the path. */
  readonly start: { readonly host: Host; readonly network: string } | null;
  /** What must hold while this path is measured, and no longer. */
  readonly around?: { readonly before: () => Promise<void>; readonly after: () => Promise<void> };
}

/**
 * Joins the hosts in pairs: two by the role with Docker's default network, two with a Docker network, two with WireGuard. The first
 * pair is a Swarm as well. Returns the paths by name.
 */
export async function makePaths(cluster: Cluster): Promise<Readonly<Record<string, Path>>> {
  const [one, two, three, four, five, six] = cluster.hosts;
  assert.ok(one && two && three && four && five && six);
  await join(cluster, [one, two]);
  await join(cluster, [three, four], "weave_docker_network=weave");
  await join(cluster, [five, six], "weave_password=only-for-benchmarks-24680");
  const paths: Record<string, Path> = {
    [HOSTS]: {
      from: await networkOf(cluster, one),
      to: await networkOf(cluster, two),
      address: two.address,
      start: null,
    },
  };
  const between = (near: Host, far: Host, network: string): Promise<Path> => pathBetween(cluster, near, far, network);
  const vxlan = await between(one, two, "bridge");
  paths[PLAIN] = { ...vxlan, address: await joinPlainly(cluster, [one, two], "bridge"), start: null };
  paths[VXLAN] = vxlan;
  paths[UNFILTERED] = { ...vxlan, around: withoutFilter([one, two]) };
  paths[DOCKER] = await between(three, four, "weave");
  paths[WIREGUARD] = await between(five, six, "bridge");
  await makeSwarm(one, two);
  paths[SWARM] = await overlay(cluster, [one, two], "swarm");
  if (await hasEsp(one)) paths[SWARM_ENCRYPTED] = await overlay(cluster, [one, two], "encrypted", "--opt", "encrypted");
  await one.exec(["docker", "network", "create", "alone"]);
  paths[ALONE] = await between(one, one, "alone");
  return paths;
}

async function join(cluster: Cluster, hosts: readonly Host[], ...vars: string[]): Promise<void> {
  const members = Object.fromEntries(hosts.map(({ name }) => [name, ""]));
  const inventory = ownInventory(cluster, members, ["weave_datapath=vxlan", ...vars]);
  const { status, output } = await ansiblePlaybook(inventory, ["site.yml"]);
  assert.is(status, 0, output);
}

/** Starts a container at either end. */
async function pathBetween(cluster: Cluster, near: Host, far: Host, network: string): Promise<Path> {
  const [from, to] = [`${network}-near`, `${network}-far`];
  await runContainer(near, from, network);
  await runContainer(far, to, network);
  return {
    from: await networkOf(cluster, near, from),
    to: await networkOf(cluster, far, to),
    address: await addressOf(far, to, network),
    start: { host: near, network },
  };
}

// Docker gives a Swarm 20 s to attach a container, which a new Swarm on a busy machine may not keep at first.
const RUN = `for _ in 1 2 3; do
  docker run --detach --name "$1" --network "$2" "$3" sleep 100000 && exit
  docker rm --force "$1"
done
exit 1
`;

/** Starts a container that does nothing. */
export async function runContainer(host: Host, name: string, network: string): Promise<void> {
  const image = await busyboxImage(host);
  await host.exec(["sh", "-c", RUN, "sh", name, network, image], { timeoutSeconds: 120 });
}

/** The address of a container on a Docker network. */
export async function addressOf(host: Host, container: string, network: string): Promise<string> {
  const format = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`;
  return (await host.exec(["docker", "inspect", "--format", format, container])).stdout.trim();
}

/** Makes the first host the manager and the others workers of a Swarm. */
export async function makeSwarm(manager: Host, ...workers: readonly Host[]): Promise<void> {
  await manager.exec(["docker", "swarm", "init", "--advertise-addr", manager.address]);
  await Promise.all(workers.map((worker) => joinSwarm(manager, worker)));
}

/** Makes a host a worker of the manager's Swarm. */
export async function joinSwarm(manager: Host, worker: Host): Promise<void> {
  const { stdout: token } = await manager.exec(["docker", "swarm", "join-token", "--quiet", "worker"]);
  const own = ["--advertise-addr", worker.address];
  await worker.exec(["docker", "swarm", "join", "--token", token.trim(), ...own, `${manager.address}:2377`]);
}

/** Makes an overlay that any container can be attached to. */
export async function makeOverlay(manager: Host, name: string, ...options: readonly string[]): Promise<void> {
  await manager.exec(["docker", "network", "create", "--driver", "overlay", "--attachable", ...options, name]);
}

async function overlay(
  cluster: Cluster,
  [near, far]: readonly [Host, Host],
  name: string,
  ...options: readonly string[]
): Promise<Path> {
  await makeOverlay(near, name, ...options);
  return pathBetween(cluster, near, far, name);
}

/** Whether the kernel has IPsec's ESP, which encrypts Swarm's overlay. */
async function hasEsp(host: Host): Promise<boolean> {
  const state = ["src", "192.0.2.1", "dst", "192.0.2.2", "proto", "esp", "spi", "1"];
  const key = ["aead", "rfc4106(gcm(aes))", `0x${"01".repeat(20)}`, "128"];
  const added = await host.exec(["ip", "xfrm", "state", "add", ...state, "mode", "transport", ...key], {
    check: false,
  });
  if (added.status !== 0) return false;
  await host.exec(["ip", "xfrm", "state", "delete", ...state]);
  return true;
}

/** Bridges do not pass their frames to iptables meanwhile; where the kernel has br_netfilter, they do by default. */
function withoutFilter(hosts: readonly Host[]): NonNullable<Path["around"]> {
  const set = (value: number) => async (): Promise<void> => {
    const setting = `net.bridge.bridge-nf-call-iptables=${value}`;
    await Promise.all(hosts.map((host) => host.exec(["sysctl", "-eqw", setting])));
  };
  return { before: set(0), after: set(1) };
}

// The same path as by VXLAN: a veth pair out of the container, a bridge, iptables, and the wire.
const JOIN_PLAINLY = `set -e
ip link add plain type bridge
ip link set ${PLAIN_PLUG} master plain up
ip link add plain-port type veth peer name plain netns "$1"
ip link set plain-port master plain up
ip link set plain up
iptables -w -I FORWARD -i plain -o plain -j ACCEPT
nsenter --net --target "$1" ip addr add "$2/24" dev plain
nsenter --net --target "$1" ip link set plain up
`;

/**
 * Joins the containers of a path by a second one without VXLAN: a second bridge on each host, with a port for the container and a
 * second device on the wire. Returns the far container's address there.
 */
async function joinPlainly(cluster: Cluster, hosts: readonly [Host, Host], network: string): Promise<string> {
  const addresses = await Promise.all(
    hosts.map(async (host, index) => {
      const address = `192.168.51.${host.number}`;
      await plug(cluster, `plain${host.number}`, await networkOf(cluster, host), PLAIN_PLUG);
      const pid = (await intoContainer(host, `${network}-${index === 0 ? "near" : "far"}`)).at(-1) ?? "";
      await host.exec(["sh", "-c", JOIN_PLAINLY, "sh", pid, address]);
      return address;
    }),
  );
  return addresses[1] ?? "";
}

// Seconds since the host's boot, before the container and once it has an answer.
const FIRST_REPLY = `cut -d " " -f 1 /proc/uptime
docker run --rm --network "$1" "$2" sh -c 'until ping -c 1 -W 1 "$0" >/dev/null 2>&1; do :; done; cut -d " " -f 1 /proc/uptime' "$3"
`;

/** Milliseconds from `docker run` until a new container gets its first reply from an address. */
export async function firstReply(host: Host, network: string, address: string): Promise<number> {
  const argv = ["sh", "-c", FIRST_REPLY, "sh", network, await busyboxImage(host), address];
  const { stdout } = await host.exec(argv, { timeoutSeconds: 60 });
  const [before = Number.NaN, after = Number.NaN] = stdout.trim().split("\n").map(Number);
  return (after - before) * 1000;
}
