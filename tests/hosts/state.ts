import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { allCgroups } from "./cgroups";
import { withLock } from "./lock";
import { clusterDirectory, clusterOf, STATE } from "./paths";
import { commandOf, findProcess, isAlive, type ProcessId } from "./processes";
import type { Suite } from "./suites";
import { allNamespaces } from "./underlay";

/** What is known about a cluster beside its hosts' own files. */
export interface State {
  /** How many hosts it has. */
  count: number;
  /** What its hosts are made of. */
  suite: Suite;
  /** The tree that its hosts boot from; null before it is known. */
  base: string | null;
  /** The process that made it or takes it down. While this process lives, the cluster is its own. */
  owner: ProcessId | null;
  /** Whether all its hosts came up. */
  ready: boolean;
}

/** The state of a cluster that nothing is known about. */
export const NO_STATE: State = { count: 0, suite: "bookworm", base: null, owner: null, ready: false };

/** The state of a cluster; null when there is none on disk, or one that was cut off as it was written. */
export function readState(cluster: string): State | null {
  try {
    return JSON.parse(readFileSync(stateFile(cluster), "utf8")) as State;
  } catch {
    return null;
  }
}

/** Writes a cluster's state in one step, so that whoever reads it reads all of the old one or all of the new one. */
export function writeState(cluster: string, state: State): void {
  mkdirSync(clusterDirectory(cluster), { recursive: true, mode: 0o700 });
  const temporary = `${stateFile(cluster)}.new`;
  writeFileSync(temporary, `${JSON.stringify(state)}\n`);
  renameSync(temporary, stateFile(cluster));
}

/** The process, other than this one, whose own a cluster is, or null. */
export function otherOwner(cluster: string): ProcessId | null {
  const owner = readState(cluster)?.owner ?? null;
  return owner !== null && owner.pid !== process.pid && isAlive(owner) ? owner : null;
}

/**
 * Makes a cluster this process's own, to make it again or to take it down. Throws when it is a living process's own,
 * unless forced.
 */
export async function claim(cluster: string, change: Partial<State>, force: boolean): Promise<void> {
  await withLock("claims", 30, async () => {
    const other = otherOwner(cluster);
    if (other !== null && !force) {
      throw new Error(
        `the cluster "${cluster}" is in use by process ${other.pid} (${commandOf(other.pid).join(" ")}): ` +
          "wait until that ends, end it, or use another cluster",
      );
    }
    const before = readState(cluster) ?? NO_STATE;
    writeState(cluster, { ...before, ...change, owner: findProcess(process.pid) });
  });
}

/** The names of all clusters that there is anything of: state, network namespaces or cgroups. */
export function clusterNames(): string[] {
  const ids = [...allNamespaces(), ...allCgroups()].flatMap((id) => clusterOf(id) ?? []);
  const states = existsSync(STATE) ? readdirSync(STATE) : [];
  return [...new Set([...states, ...ids])].sort();
}

/** The trees that clusters boot from. */
export function basesInUse(): string[] {
  return clusterNames().flatMap((name) => readState(name)?.base ?? []);
}

function stateFile(cluster: string): string {
  return join(clusterDirectory(cluster), "cluster.json");
}
