import type { Host } from "../../core/host/host";
import { isNamedAfterDocker } from "./options_file";

/** More are taken for a loop, as the kernel does (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * The file that a path leads to by symbolic links, where this module must not write it: others use it too, or a boot clears it.
 * Null for a path without links, and for a target of Docker's own or one that does not exist yet.
 */
export function sharedTarget(path: string, host: Host): string | null {
  const target = resolvePath(path, host);
  if (target === path) return null;
  if (/^\/(run|tmp|dev|proc|sys|var\/(run|tmp))\//.test(target)) return target;
  const isTaken = target.startsWith("/etc/") || host.readFile(target) !== null;
  return isTaken && !isNamedAfterDocker(target) ? target : null;
}

function resolvePath(path: string, host: Host): string {
  const names = path.split("/");
  let [at, links] = ["", 0];
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at = at.replace(/\/[^/]*$/, "");
      continue;
    }
    const link = links < MAX_LINKS ? host.readlink(`${at}/${name}`) : null;
    if (link === null) {
      at = `${at}/${name}`;
      continue;
    }
    links++;
    names.unshift(...link.split("/"));
    if (link.startsWith("/")) at = "";
  }
  return at;
}
