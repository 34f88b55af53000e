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

/** Where this process finds a program; in /usr/bin if it is in several directories. Null if it is in none. */
export function pathOfProgram(name: string, host: Host): string | null {
  const directory = ["/usr/bin", ...PROGRAM_DIRECTORIES].find((each) => host.readdir(each).includes(name));
  return directory === undefined ? null : `${directory}/${name}`;
}

/** The names of all programs that this process finds. */
export function programsOf(host: Host): ReadonlySet<string> {
  return new Set(PROGRAM_DIRECTORIES.flatMap((directory) => host.readdir(directory)));
}
