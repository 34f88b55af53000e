import type { Host } from "./host/host";
import { PATH } from "./host/run";

/** The directories in which programs are searched. */
export const PROGRAM_DIRECTORIES = PATH.split(":");

/** Whether this host has a program, given by its path, or by its name as this process would find it. */
export function hasProgram(program: string, host: Host): boolean {
  const slash = program.lastIndexOf("/");
  const directories = slash < 0 ? PROGRAM_DIRECTORIES : [program.slice(0, slash)];
  return directories.some((directory) => host.readdir(directory).includes(program.slice(slash + 1)));
}

/** The names of all programs that this process finds. */
export function programsOf(host: Host): ReadonlySet<string> {
  return new Set(PROGRAM_DIRECTORIES.flatMap((directory) => host.readdir(directory)));
}
