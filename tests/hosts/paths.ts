import { join } from "node:path";

/** Where the state of every cluster is: one directory per cluster, gone after `down`. */
export const STATE = "/var/lib/apollo-weave-test-hosts";

/**
 * Where the Debian trees are that hosts boot from and that the newest Ansible runs in, and the lock files: kept by `down`,
 * as a tree takes half a minute and more.
 */
export const CACHE = "/var/cache/apollo-weave-test-hosts";

/** The directory of one cluster's state. */
export function clusterDirectory(cluster: string): string {
  return join(STATE, cluster);
}

/** The tmpfs of one cluster, which holds what its hosts write. */
export function hostsDirectory(cluster: string): string {
  return join(clusterDirectory(cluster), "hosts");
}

/** The directory of one host's files. */
export function hostDirectory(cluster: string, host: string): string {
  return join(hostsDirectory(cluster), host);
}

// Neither a cluster's name nor a host's has a dot, so no name of one cluster is another cluster's.
const PREFIX = "apollo-weave.";

/** The name, unlike any other on the machine, of one host's network namespace and of its cgroups. */
export function hostId(cluster: string, host: string): string {
  return `${PREFIX}${cluster}.${host}`;
}

/** The name of the network namespace that holds a cluster's underlay. */
export function underlayName(cluster: string): string {
  return hostId(cluster, "underlay");
}

/** The cluster that a namespace or a cgroup belongs to by its name, or null when it is none of ours. */
export function clusterOf(id: string): string | null {
  if (!id.startsWith(PREFIX)) return null;
  const [cluster, host, ...rest] = id.slice(PREFIX.length).split(".");
  return cluster && host && rest.length === 0 ? cluster : null;
}

/**
 * Throws when `name` can't name a cluster. It becomes part of file names and of the path of ssh's control socket, which
 * the kernel limits to 107 characters.
 */
export function requireClusterName(name: string): void {
  if (!/^[a-z0-9][a-z0-9-]{0,15}$/.test(name)) {
    throw new Error(
      `"${name}" can't name a cluster: use at most 16 lowercase letters, digits and hyphens, not starting with a hyphen`,
    );
  }
}
