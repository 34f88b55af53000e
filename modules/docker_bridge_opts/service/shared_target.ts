import type { Host } from "../../core/host/host";
import { followLinks } from "../../core/host/links";
import { isNamedAfterDocker } from "./options_file";

/**
 * The file that a path leads to by symbolic links, where this module must not write it: others use it too, or a boot clears it.
 * Null for a path without links, and for a target of Docker's own or one that does not exist yet.
 */
export function sharedTarget(path: string, host: Host): string | null {
  const { target } = followLinks(path, host.readlink);
  if (target === path) return null;
  if (/^\/(run|tmp|dev|proc|sys|var\/(run|tmp))\//.test(target)) return target;
  const isTaken = target.startsWith("/etc/") || host.readFile(target) !== null;
  return isTaken && !isNamedAfterDocker(target) ? target : null;
}
