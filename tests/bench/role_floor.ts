import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ansiblePlaybook, type PlaybookRun, ROOT } from "../e2e/playbook";
import type { Cluster } from "../hosts/cluster";
import { onFreshHosts } from "./fresh_hosts";
import type { Samples } from "./part";
import { DATAPATHS, floorNames } from "./role_figures";
import { interleaved } from "./statistics";
import { timedPlaybook } from "./timed_playbook";

const ROUNDS = 5;
// What the role calls on hosts when nothing is to do; its other tasks run on the controller.
const CALL = /^(ansible\.builtin\.raw|weave_bridge|docker_bridge_opts|weave_service)$/;

/** Measures in turn, for each datapath, second runs of the role, as many pings as the role makes calls, and an empty play. */
export async function measureFloor(log: (line: string) => void): Promise<Samples> {
  const samples: Record<string, readonly number[]> = {};
  for (const datapath of DATAPATHS) {
    log(`the floor, ${datapath}`);
    const names = floorNames(datapath);
    await onFreshHosts(2, async (cluster) => {
      const role = [join(ROOT, "site.yml"), "--extra-vars", `weave_datapath=${datapath}`];
      await provisioned(cluster, role);
      const calls = callsOf(await provisioned(cluster, role));
      const timed = (...args: string[]) =>
        timedPlaybook({ inventory: cluster.inventory, args, pipelining: true, settled: true });
      const [pings, empty] = [pingPlay(cluster, calls), pingPlay(cluster, 0)];
      const measurements = {
        [names.role]: () => timed(...role),
        [names.pings]: () => timed(pings),
        [names.empty]: () => timed(empty),
      };
      Object.assign(samples, await interleaved(measurements, ROUNDS), { [names.calls]: [calls] });
    });
  }
  return samples;
}

async function provisioned(cluster: Cluster, args: readonly string[]): Promise<PlaybookRun> {
  const run = await ansiblePlaybook(cluster.inventory, args);
  if (run.status !== 0) throw new Error(run.output);
  return run;
}

/** How many calls a run made on its first host. */
function callsOf({ results }: PlaybookRun): number {
  const [first] = results;
  return results.filter(({ host, action, outcome }) => host === first?.host && outcome === "ok" && CALL.test(action))
    .length;
}

/** Writes a playbook with this many pings; returns its path. */
function pingPlay(cluster: Cluster, pings: number): string {
  const tasks = Array.from({ length: pings }, () => ({ "ansible.builtin.ping": {} }));
  const path = join(cluster.directory, `pings-${pings}.yml`);
  // JSON is YAML.
  writeFileSync(path, JSON.stringify([{ hosts: "weave_servers", gather_facts: false, tasks }]));
  return path;
}
