import type { Host } from "./host/host";
import { PATH } from "./host/run";

/** The directories in which programs are searched. */
export const PROGRAM_DIRECTORIES = PATH.split(":");

/** The names of all programs that this process finds. */
export function programsOf(host: Host): ReadonlySet<string> {
  return new Set(PROGRAM_DIRECTORIES.flatMap((directory) => host.readdir(directory)));
}
