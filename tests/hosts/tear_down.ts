import { existsSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { allCgroups, cgroupProcesses, removeCgroups } from "./cgroups";
import { unmountBelow } from "./mounts";
import { clusterDirectory, clusterOf, STATE } from "./paths";
import { commandOf, signalProcess } from "./processes";
import { run } from "./run";
import { connectionKeepers } from "./ssh";
import { allNamespaces, namespaceProcesses, removeNamespace, unmountNamespaces } from "./underlay";
import { waitFor } from "./wait";

/**
 * Removes everything of a cluster but its state: processes, namespaces, cgroups, mounts and files, whatever there is of
 * it. It uses only names, so it needs no state and finds what any half-done `up` or `down` left.
 */
export async function tearDown(cluster: string): Promise<void> {
  await waitFor({
    what: `the processes of the cluster "${cluster}" to end`,
    seconds: 20,
    everyMilliseconds: 20,
    probe: () => removeRunning(cluster),
    diagnose: () =>
      processesOf(cluster)
        .map((pid) => `${pid} ${commandOf(pid).join(" ")}`)
        .join("\n"),
  });
  const directory = clusterDirectory(cluster);
  await unmountBelow(directory);
  if (!existsSync(directory)) return;
  const files = readdirSync(directory).filter((name) => name !== "cluster.json");
  // All is unmounted; if it weren't, what is mounted should stay whole.
  await run(["rm", "-rf", "--one-file-system", "--", ...files.map((name) => join(directory, name))]);
}

/** Removes the state of a cluster that has been torn down, and what only the first cluster of all had to make. */
export async function removeState(cluster: string): Promise<void> {
  await run(["rm", "-rf", "--one-file-system", clusterDirectory(cluster)]);
  try {
    rmdirSync(STATE);
  } catch {
    // Another cluster's state is in it.
  }
  await unmountNamespaces();
}

// A process may start another while this looks at it, and a booting host may only now enter its cgroup: so it looks
// again until it finds nothing. What is not yet in a cgroup needs the namespace or the cgroup that is removed here.
async function removeRunning(cluster: string): Promise<boolean> {
  const processes = processesOf(cluster);
  for (const pid of processes) signalProcess(pid, "SIGKILL");
  for (const name of allNamespaces().filter(belongsTo(cluster))) await removeNamespace(name);
  const gone = allCgroups().filter(belongsTo(cluster)).map(removeCgroups);
  return processes.length === 0 && gone.every(Boolean);
}

function processesOf(cluster: string): number[] {
  const isOurs = belongsTo(cluster);
  return [
    ...allCgroups().filter(isOurs).flatMap(cgroupProcesses),
    ...allNamespaces().filter(isOurs).flatMap(namespaceProcesses),
    ...connectionKeepers(cluster),
  ];
}

function belongsTo(cluster: string): (id: string) => boolean {
  return (id) => clusterOf(id) === cluster;
}
