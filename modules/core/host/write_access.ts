import { lstatSync } from "node:fs";
import { followLinks } from "./links";

/**
 * The first part of an absolute path, a file, directory or link, that a user other than root and this process's own owns or can write
 * to, in words; null if there is none. That holds for a path that does not exist, too. Throws a UserError for a loop of links.
 */
export function writableByOthers(path: string): string | null {
  for (const part of followLinks(path).parts) {
    const stat = lstatSync(part, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    if (stat.uid !== 0 && stat.uid !== process.geteuid?.()) return `${part} belongs to the user ${stat.uid}`;
    // In a sticky directory, such as /tmp, others can't rename or remove what they don't own. A link's own mode means nothing.
    const sticky = stat.isDirectory() && (stat.mode & 0o1000) !== 0;
    if ((stat.mode & 0o022) !== 0 && !sticky && !stat.isSymbolicLink()) {
      return `${part} may be written by others (mode 0${(stat.mode & 0o7777).toString(8)})`;
    }
  }
  return null;
}
