import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { allMounts } from "./mounts";
import { clusterOf } from "./paths";
import { type Suite, unifiedOnly } from "./suites";

const ROOT = "/sys/fs/cgroup";

/** A cgroup hierarchy of the machine, and how a host mounts its part of it below /sys/fs/cgroup. */
export interface Hierarchy {
  /** Where the machine has it mounted. */
  path: string;
  type: "cgroup" | "cgroup2";
  /** The directory below the host's own /sys/fs/cgroup; "." for that directory itself. */
  directory: string;
  /** The options to mount it with; empty for the unified hierarchy. */
  options: string;
}

/**
 * The hierarchies that hosts of a suite take part in: only the unified one where the machine has cgroup v2, as Debian has
 * by default, or where the suite knows no other; otherwise each of v1 and the unified one beside them. Throws where the
 * suite knows no other and the machine has none.
 */
export function hostHierarchies(suite: Suite): Hierarchy[] {
  const all = machineHierarchies();
  const unified = all.find(({ type }) => type === "cgroup2");
  if (unified && (all.length === 1 || unifiedOnly(suite))) return [{ ...unified, directory: "." }];
  if (unifiedOnly(suite)) {
    throw new Error(`test hosts of ${suite} need cgroup v2: mount it, "mount -t cgroup2 cgroup2 ${ROOT}/unified"`);
  }
  return all;
}

function machineHierarchies(): Hierarchy[] {
  const controllers = new Set(
    readFileSync("/proc/cgroups", "utf8")
      .split("\n")
      .map((line) => line.split("\t")[0]),
  );
  return allMounts().flatMap(({ point, type, superOptions }): Hierarchy[] => {
    if (point !== ROOT && !point.startsWith(`${ROOT}/`)) return [];
    const directory = point === ROOT ? "." : basename(point);
    if (type === "cgroup2") return [{ path: point, type, directory, options: "" }];
    if (type !== "cgroup") return [];
    const named = superOptions.find((option) => option.startsWith("name="));
    const options = named ? `none,${named}` : superOptions.filter((option) => controllers.has(option)).join(",");
    return [{ path: point, type, directory, options }];
  });
}

/** Makes the cgroups of one host of a suite, in each of its hierarchies one, and returns their directories. */
export function makeCgroups(id: string, suite: Suite): string[] {
  return hostHierarchies(suite).map(({ path, type }) => {
    if (type === "cgroup2") offerControllers(path);
    const directory = join(path, id);
    mkdirSync(directory, { recursive: true });
    // A new v1 cpuset is empty, and no process can enter it until it has processors and memory nodes.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      if (type === "cgroup" && existsSync(join(directory, file))) {
        writeFileSync(join(directory, file), readFileSync(join(path, file)));
      }
    }
    return directory;
  });
}

/**
 * The command that runs a program for one host in its cgroups, which are made: there it is found when the cluster is taken down, and gets
 * as much of the processor as another host.
 */
export function inCgroups(id: string, suite: Suite, argv: readonly string[]): string[] {
  const files = makeCgroups(id, suite).map((cgroup) => join(cgroup, "cgroup.procs"));
  return ["sh", "-c", 'for file in $0; do echo 0 >"$file"; done; exec "$@"', files.join(" "), ...argv];
}

// The host's systemd and Docker can use only the controllers that the hierarchy's root hands down. They are offered one
// by one and a refusal is no error: where the machine is itself a container, its root cgroup holds processes, which
// rules some controllers out, and a machine with v1 as well has them bound there. Containers run without them.
function offerControllers(path: string): void {
  for (const controller of ["cpu", "cpuset", "io", "memory", "pids"]) {
    try {
      writeFileSync(join(path, "cgroup.subtree_control"), `+${controller}`);
    } catch {
      // Refused.
    }
  }
}

/** The names of all cgroups that belong to some cluster's hosts, each once. */
export function allCgroups(): string[] {
  const names = machineHierarchies().flatMap(({ path }) => readdirSync(path));
  return [...new Set(names.filter((name) => clusterOf(name) !== null))];
}

/** The processes in the cgroups of one host. */
export function cgroupProcesses(id: string): number[] {
  return machineHierarchies()
    .flatMap(({ path }) => tree(join(path, id)))
    .flatMap((directory) => readLines(join(directory, "cgroup.procs")).map(Number));
}

/** Removes the cgroups of one host as far as no process is left in them, and says whether they are gone. */
export function removeCgroups(id: string): boolean {
  const trees = machineHierarchies().map(({ path }) => join(path, id));
  for (const directory of trees.flatMap(tree).reverse()) {
    try {
      rmdirSync(directory);
    } catch {
      // A process that has just been killed still counts for a moment; the caller comes back.
    }
  }
  return !trees.some((directory) => existsSync(directory));
}

// A directory with all that are in it, parents first.
function tree(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [directory, ...entries.flatMap(({ name }) => tree(join(directory, name)))];
  } catch {
    return [];
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}
