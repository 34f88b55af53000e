import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** More are taken for a loop, as the kernel does (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * The first part of an absolute path, a file, directory or link, that a user other than root and this process's own owns or can write
 * to, in words; null if there is none. That holds for a path that does not exist, too.
 */
export function writableByOthers(path: string): string | null {
  const names = namesOf(path);
  let folder = "/";
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    const at = join(folder, name);
    const stat = lstatSync(at, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    if (stat.uid !== 0 && stat.uid !== process.geteuid?.()) return `${at} belongs to the user ${stat.uid}`;
    if (stat.isSymbolicLink()) {
      if (++links > MAX_LINKS) return `${path} leads through too many links`;
      const target = readlinkSync(at);
      names.unshift(...namesOf(target));
      if (target.startsWith("/")) folder = "/";
      continue;
    }
    // In a sticky directory, such as /tmp, others can't rename or remove what they don't own.
    const sticky = stat.isDirectory() && (stat.mode & 0o1000) !== 0;
    if ((stat.mode & 0o022) !== 0 && !sticky) {
      return `${at} may be written by others (mode 0${(stat.mode & 0o7777).toString(8)})`;
    }
    folder = at;
  }
  return null;
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}
