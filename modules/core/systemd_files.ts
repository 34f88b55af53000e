import type { Host } from "./host/host";

/** Where systemd searches units and their drop-ins, in the order of precedence (systemd.unit(5)). */
export const UNIT_DIRECTORIES: readonly string[] = [
  "/etc/systemd/system.control",
  "/run/systemd/system.control",
  "/run/systemd/transient",
  "/run/systemd/generator.early",
  "/etc/systemd/system",
  "/etc/systemd/system.attached",
  "/run/systemd/system",
  "/run/systemd/system.attached",
  "/run/systemd/generator",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
  "/run/systemd/generator.late",
];

/** The same for the files of systemd-networkd (systemd.network(5)). */
export const NETWORK_DIRECTORIES: readonly string[] = [
  "/etc/systemd/network",
  "/run/systemd/network",
  "/usr/local/lib/systemd/network",
  "/usr/lib/systemd/network",
  "/lib/systemd/network",
];

/** The paths of all files of several directories by name; of the same name, the one in the first directory. */
export function firstFiles(directories: readonly string[], host: Host): Map<string, string> {
  const files = new Map<string, string>();
  for (const directory of directories) {
    for (const name of host.readdir(directory)) if (!files.has(name)) files.set(name, `${directory}/${name}`);
  }
  return files;
}

/** The drop-ins in these directories, in the order in which systemd reads them: that of their names, wherever they are. */
export function dropInsIn(directories: readonly string[], host: Host): string[] {
  // An empty one hides others of its name.
  const files = [...firstFiles(directories, host)].filter(([name]) => name.endsWith(".conf"));
  return files.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
}
