import { lstatSync, readlinkSync } from "node:fs";
import { remedyOf } from "../errno";
import { UserError } from "../errors";

/** As many as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/** A path with its symbolic links followed. */
export interface FollowedPath {
  /** The directories, links and the file that it leads through, in order. */
  readonly parts: readonly string[];
  /** Where it leads. */
  readonly target: string;
}

/**
 * Follows the links in an absolute path, whether or not it exists. `readLink` returns the text of a link, and null for anything
 * else. Throws a UserError if the links form a loop.
 */
export function followLinks(path: string, readLink = readLinkOfThisHost): FollowedPath {
  const names = path.split("/");
  const parts: string[] = [];
  let [at, links] = ["", 0];
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at = at.replace(/\/[^/]*$/, "");
      continue;
    }
    const part = `${at}/${name}`;
    parts.push(part);
    const link = readLink(part);
    if (link === null) {
      at = part;
      continue;
    }
    if (++links > MAX_LINKS) {
      throw new UserError(`${path}: can't be read (found more than ${MAX_LINKS} links). ${remedyOf("ELOOP")}`, "ELOOP");
    }
    names.unshift(...link.split("/"));
    if (link.startsWith("/")) at = "";
  }
  return { parts, target: at || "/" };
}

function readLinkOfThisHost(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (["EINVAL", "ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
}

/**
 * Describes the first component of an absolute path (a directory, link or file) that a user other than root, or than this process's
 * own, owns or can write to; null if there is none. The path need not exist. Throws a UserError for a loop of links.
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
