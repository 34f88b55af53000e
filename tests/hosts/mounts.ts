import { readFileSync } from "node:fs";
import { run } from "./run";

export interface Mount {
  point: string;
  type: string;
  /** The options of the file system itself, which for a cgroup v1 hierarchy name its controllers. */
  superOptions: string[];
}

/**
 * Everything that is mounted, in the order of mounting, in the mount namespace of a process: this one, unless another is
 * given. Throws when that has gone.
 */
export function allMounts(pid: number | "self" = "self"): Mount[] {
  return readFileSync(`/proc/${pid}/mountinfo`, "utf8")
    .trimEnd()
    .split("\n")
    .flatMap((line) => {
      const [mount = "", filesystem = ""] = line.split(" - ");
      const point = mount.split(" ")[4];
      const [type, , superOptions] = filesystem.split(" ");
      if (point === undefined || type === undefined || superOptions === undefined) return [];
      return [{ point: unescapeOctal(point), type, superOptions: unescapeOctal(superOptions).split(",") }];
    });
}

/** Whether something is mounted at exactly this path. */
export function isMountPoint(path: string): boolean {
  return allMounts().some(({ point }) => point === path);
}

/** Unmounts everything at and below a directory, last mounted first. Throws when something is still in use. */
export async function unmountBelow(directory: string): Promise<void> {
  const points = allMounts()
    .map(({ point }) => point)
    .filter((point) => point === directory || point.startsWith(`${directory}/`));
  for (const point of points.reverse()) await run(["umount", point]);
}

// The kernel writes white space and backslashes as three octal digits.
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
