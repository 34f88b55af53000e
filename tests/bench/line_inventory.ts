import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";

const RELAY = [process.execPath, "-r", require.resolve("tsx/cjs"), join(__dirname, "relay.ts")].join(" ");

/**
 * Writes an inventory NAME.ini beside the cluster's, in which these hosts are reached with this many more milliseconds per
 * round trip. Returns its path. Ansible keeps connections by address, so use only one delay per host.
 */
export function lineInventory(cluster: Cluster, name: string, hosts: readonly Host[], roundTrip: number): string {
  const [, ofAll = ""] = readFileSync(cluster.inventory, "utf8").split("[weave_servers:vars]");
  const connection =
    roundTrip === 0 ? ofAll : ofAll.replace('ProxyCommand="', `ProxyCommand="${RELAY} ${roundTrip / 2} `);
  const lines = hosts.map((host) => `${host.name} ansible_host=${host.address}\n`);
  const path = join(cluster.directory, `${name}.ini`);
  writeFileSync(path, `[weave_servers]\n${lines.join("")}[weave_servers:vars]${connection}`);
  return path;
}
