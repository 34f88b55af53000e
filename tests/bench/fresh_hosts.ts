import { Cluster } from "../hosts/cluster";
import { onSignals } from "../hosts/signals";
import { installWeaveStandIn } from "../stand-ins/weave/install";

/**
 * Boots this many hosts, installs the router's stand-in, runs `work` and takes the hosts down, also after an error or a
 * signal. Returns what `work` returned.
 */
export async function onFreshHosts<T>(count: number, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const cluster = await Cluster.up(process.env["E2E_CLUSTER"] ?? "bench", count);
  const signals = onSignals(() => cluster.down());
  try {
    await Promise.all(cluster.hosts.map((host) => installWeaveStandIn(host)));
    return await work(cluster);
  } finally {
    await cluster.down();
    signals.remove();
  }
}
