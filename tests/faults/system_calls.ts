/** System calls by which a module changes its host, found by strace and made to fail by it. */

export const ERRORS = ["EIO", "ENOSPC", "EROFS", "EACCES"] as const;

/** What befalls a system call: an error instead of its effect, or the end of the process in front of it. */
export type CallFault = (typeof ERRORS)[number] | "SIGKILL";

/**
 * One call among those of a process: the `ordinal`-th of this name that has to do with this path; of all of this name where
 * the path is another in each run.
 */
export interface SystemCall {
  readonly name: string;
  readonly path: string;
  readonly ordinal: number;
}

const CHANGES =
  "openat,write,pwrite64,fsync,fdatasync,rename,renameat2,link,symlink,unlink,unlinkat,rmdir,mkdir,mkdirat";
/** How a program is started: by the one, or, from libuv 1.52 on, by the other. Threads are started by another call. */
const STARTS = "clone,vfork";
const MODES = "chmod,fchmod,fchmodat,chown,fchown,fchownat,ftruncate";

/** strace's words for watching a program's first thread, in which Node.js makes all calls that a module waits for. */
export function recording(log: string): string[] {
  return ["strace", "-o", log, "-y", "-s", "0", "-e", `trace=${STARTS},${CHANGES},${MODES}`];
}

/** strace's words for having one call fail. */
export function injecting(log: string, { name, path, ordinal }: SystemCall, fault: CallFault): string[] {
  const what = fault === "SIGKILL" ? "signal=KILL" : `error=${fault}`;
  const inject = `inject=${name}:${what}:when=${ordinal}`;
  return ["strace", "-o", log, ...(isRandom(path) ? [] : ["-P", path]), "-e", `trace=${name}`, "-e", inject];
}

/** What is tried out before it is put in place is in a directory whose name ends at random. */
function isRandom(path: string): boolean {
  return path.startsWith("/tmp/");
}

/** strace's words for having the `ordinal`-th start of a program fail. */
export function injectingStart(log: string, ordinal: number): string[] {
  return ["strace", "-o", log, "-e", `trace=${STARTS}`, "-e", `inject=${STARTS}:error=EAGAIN:when=${ordinal}`];
}

/** Whether strace says, in its log, that what was to be injected was. */
export function wasInjected(log: string): boolean {
  return /\(INJECTED\)|killed by SIGKILL/.test(log);
}

/** Takes what `recording` wrote; returns how many programs were started. */
export function programStarts(log: string): number {
  return log.match(/^(?:clone|vfork)\(/gm)?.length ?? 0;
}

/**
 * Takes what `recording` wrote; returns the calls that change a file, a directory or a setting of the kernel's, in order, with
 * the opening of a directory to be synced. Pipes and the like, and files opened to be read, are no part of the host.
 */
export function changingCalls(log: string): SystemCall[] {
  const calls = log.split("\n").flatMap((line) => parseCall(line) ?? []);
  return calls.flatMap(({ name, paths, writes }, index) => {
    const [path] = paths;
    if (path === undefined || path.startsWith("/dev/")) return [];
    const next = calls[index + 1];
    const opensForSync = name === "openat" && next?.name === "fsync" && next.paths[0] === path;
    if (name === "openat" && !writes && !opensForSync) return [];
    // Node.js writes to its own pipes too, and not as often in each run.
    if (isRandom(path) && name === "write") return [];
    const before = calls.slice(0, index + 1).filter((call) => call.name === name);
    const alike = isRandom(path) ? before : before.filter(({ paths }) => paths.includes(path));
    return [{ name, path, ordinal: alike.length }];
  });
}

interface Call {
  readonly name: string;
  /** Those among the arguments, in order; of a file descriptor, what it is open on. */
  readonly paths: readonly string[];
  readonly writes: boolean;
}

/** A line such as `write(20</etc/hosts>, ""..., 12) = 12`. */
function parseCall(line: string): Call | null {
  const [, name, args] = /^(\w+)\((.*)\)\s+= /.exec(line) ?? [];
  if (name === undefined || args === undefined) return null;
  const takesPath = /^(openat|rename|link|symlink|unlink|rmdir|mkdir|chmod|chown|fchmodat|fchownat)/.test(name);
  const found = takesPath ? args.matchAll(/"([^"]*)"/g) : args.matchAll(/^\d+<(\/[^>]*)>/g);
  const paths = [...found].map(([, path = ""]) => path);
  return { name, paths, writes: /O_(WRONLY|RDWR|CREAT)/.test(args) };
}
