import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../hosts/cluster";

/**
 * Writes an inventory of a test's own beside the cluster's: these hosts, in this order, each with these variables, in the
 * group weave_servers; hosts are connected to as in the cluster's. Returns its path.
 */
export function ownInventory(
  cluster: Cluster,
  hosts: Readonly<Record<string, string>>,
  ofAll: readonly string[] = [],
): string {
  const lines = Object.entries(hosts).map(
    ([name, variables]) => `${name} ansible_host=${cluster.host(name).address} ${variables}`,
  );
  const [, connection = ""] = readFileSync(cluster.inventory, "utf8").split("[weave_servers:vars]\n");
  const path = join(cluster.directory, "own-inventory.ini");
  writeFileSync(path, ["[weave_servers]", ...lines, "[weave_servers:vars]", ...ofAll, connection].join("\n"));
  return path;
}
