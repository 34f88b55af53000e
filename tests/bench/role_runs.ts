import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../e2e/playbook";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { onFreshHosts } from "./fresh_hosts";
import type { Samples } from "./part";
import {
  CONDITIONS,
  type Condition,
  conditionName,
  FEW_FACTS,
  firstRun,
  type Kind,
  NETWORKS,
  runName,
  SIDES,
  type Side,
} from "./role_figures";
import { timedPlaybook } from "./timed_playbook";

const PLAYBOOKS: Readonly<Record<Side, string>> = {
  role: join(ROOT, "site.yml"),
  baseline: join(__dirname, "baseline/site.yml"),
};
const FRESH_HOSTS = 3;
/** Rounds over a slow line, where the differences are larger. */
const SLOW_ROUNDS = 2;
const HOSTS_A_SIDE = 2;

/** Measures first runs in turn, in seconds, with Docker's default network, for which Docker restarts, and with a Docker network. */
export async function measureNetworks(log: (line: string) => void): Promise<Samples> {
  const samples: Record<string, number[]> = Object.fromEntries(NETWORKS.map((network) => [firstRun(network), []]));
  for (let round = 1; round <= FRESH_HOSTS; round++) {
    log(`Docker's restart and a Docker network, round ${round} of ${FRESH_HOSTS}`);
    await onFreshHosts(HOSTS_A_SIDE * NETWORKS.length, async (cluster) => {
      for (const [index, network] of NETWORKS.entries()) {
        const hosts = cluster.hosts.slice(index * HOSTS_A_SIDE, (index + 1) * HOSTS_A_SIDE);
        const vars = ["-e", `weave_datapath=vxlan weave_docker_network=${network}`];
        const inventory = lineInventory(cluster, network, hosts, 0);
        const args = [PLAYBOOKS.role, ...vars];
        samples[firstRun(network)]?.push(await timedPlaybook({ inventory, args, pipelining: true, settled: false }));
      }
    });
  }
  return samples;
}

/**
 * Measures the runs of both sides in turn, in seconds, each side on two hosts of its own, which boot again for each first
 * run.
 */
export async function measureRuns(log: (line: string) => void): Promise<Samples> {
  const samples = new Map<string, number[]>();
  const keep = (name: string, seconds: number): void => {
    samples.set(name, [...(samples.get(name) ?? []), seconds]);
    log(`${name}: ${seconds.toFixed(2)} s`);
  };
  for (let round = 1; round <= FRESH_HOSTS; round++) {
    for (const condition of CONDITIONS.filter(({ roundTrip }) => roundTrip === 0 || round <= SLOW_ROUNDS)) {
      log(`${conditionName(condition)}, round ${round} of ${FRESH_HOSTS}`);
      await measureCondition(condition, keep);
    }
  }
  return Object.fromEntries(samples);
}

async function measureCondition(condition: Condition, keep: (name: string, seconds: number) => void): Promise<void> {
  await onFreshHosts(HOSTS_A_SIDE * SIDES.length, async (cluster) => {
    const inventories = SIDES.map((side, index) => {
      const hosts = cluster.hosts.slice(index * HOSTS_A_SIDE, (index + 1) * HOSTS_A_SIDE);
      return lineInventory(cluster, side, hosts, condition.roundTrip);
    });
    // Once over a slow line: it takes long enough.
    const second: Kind[] = condition.roundTrip === 0 ? ["second run", "second run"] : ["second run"];
    for (const kind of ["first run", ...second, "check"] as const) {
      for (const [index, side] of SIDES.entries()) {
        const seconds = await timedPlaybook({
          inventory: inventories[index] ?? "",
          args: [PLAYBOOKS[side], ...(kind === "check" ? ["--check"] : [])],
          pipelining: condition.pipelining,
          settled: kind !== "first run",
        });
        keep(runName(kind, condition, side), seconds);
      }
      if (kind !== "second run" || condition.roundTrip > 0) continue;
      const seconds = await timedPlaybook({
        inventory: inventories[SIDES.indexOf("baseline")] ?? "",
        args: [PLAYBOOKS.baseline],
        pipelining: condition.pipelining,
        facts: "!all,!min,network",
        settled: true,
      });
      keep(runName(kind, condition, FEW_FACTS), seconds);
    }
  });
}

const RELAY = [process.execPath, "-r", require.resolve("tsx/cjs"), join(__dirname, "relay.ts")].join(" ");

/**
 * Writes an inventory NAME.ini beside the cluster's, in which these hosts are reached with this many more milliseconds per
 * round trip. Returns its path. Ansible keeps connections by address, so use only one delay per host.
 */
function lineInventory(cluster: Cluster, name: string, hosts: readonly Host[], roundTrip: number): string {
  const [, ofAll = ""] = readFileSync(cluster.inventory, "utf8").split("[weave_servers:vars]");
  const connection =
    roundTrip === 0 ? ofAll : ofAll.replace('ProxyCommand="', `ProxyCommand="${RELAY} ${roundTrip / 2} `);
  const lines = hosts.map((host) => `${host.name} ansible_host=${host.address}\n`);
  const path = join(cluster.directory, `${name}.ini`);
  writeFileSync(path, `[weave_servers]\n${lines.join("")}[weave_servers:vars]${connection}`);
  return path;
}
