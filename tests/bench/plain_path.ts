import type { Service } from "../e2e/services";
import type { Cluster } from "../hosts/cluster";
import { networkOf, plug } from "./namespaces";

/** The host's second device on the wire. */
export const PLAIN_PLUG = "eth1";

// The same path as by VXLAN: a veth pair out of the container, a bridge, iptables, and the wire.
const JOIN = `set -e
ip link add plain type bridge
ip link set ${PLAIN_PLUG} master plain up
pid=$(docker inspect --format '{{.State.Pid}}' "$1")
ip link add plain-port type veth peer name plain netns "$pid"
ip link set plain-port master plain up
ip link set plain up
iptables -w -I FORWARD -i plain -o plain -j ACCEPT
nsenter --net --target "$pid" ip addr add "$2/24" dev plain
nsenter --net --target "$pid" ip link set plain up
`;

/**
 * Joins containers on several hosts by a second path without VXLAN: a second bridge on each host, with a port for the
 * container and a second device on the wire. Returns each container's address there.
 */
export async function joinPlainly(cluster: Cluster, services: readonly Service[]): Promise<string[]> {
  return Promise.all(
    services.map(async ({ host, name }) => {
      const address = `192.168.51.${host.number}`;
      await plug(cluster, `plain${host.number}`, await networkOf(cluster, host), PLAIN_PLUG);
      await host.exec(["sh", "-c", JOIN, "sh", name, address]);
      return address;
    }),
  );
}
