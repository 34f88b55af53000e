import { basename, dirname } from "node:path";
import { orNull } from "./errors";
import type { Host } from "./host/host";

/** systemd's directories under others: `etc/system` is /etc/systemd/system. */
const directories = (...names: string[]): readonly string[] =>
  names.map((name) => `/${dirname(name)}/systemd/${basename(name)}`);

/** Where systemd searches units and their drop-ins, in the order of precedence (systemd.unit(5)). */
export const UNIT_DIRECTORIES = directories(
  "etc/system.control",
  "run/system.control",
  "run/transient",
  "run/generator.early",
  "etc/system",
  "etc/system.attached",
  "run/system",
  "run/system.attached",
  "run/generator",
  "usr/local/lib/system",
  "usr/lib/system",
  "lib/system",
  "run/generator.late",
);

/** The same for the files of systemd-networkd (systemd.network(5)). */
export const NETWORK_DIRECTORIES = directories(
  "etc/network",
  "run/network",
  "usr/local/lib/network",
  "usr/lib/network",
  "lib/network",
);

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

/** A file's content; "" for what does not exist or is not a regular file, such as a link to /dev/null, which masks a file. */
export function readIfRegular(path: string, host: Host): string {
  return orNull(() => host.readFile(path))?.content ?? "";
}
