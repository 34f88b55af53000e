import { Cluster } from "../hosts/cluster";
import { turn } from "../runner/turn";

/**
 * Boots the hosts of a test file, which it takes down by `down()` in its end, or a signal does, and waits until the file may
 * go on. Runs of several checkouts on one machine get their own by the environment variable E2E_CLUSTER.
 */
export async function bootHosts(count: number): Promise<Cluster> {
  const cluster = await Cluster.up(process.env["E2E_CLUSTER"] ?? "e2e", count);
  cluster.tearDownOnSignals();
  await turn();
  return cluster;
}
