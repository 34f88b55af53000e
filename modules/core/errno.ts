import { BECOME_HINT, UserError } from "./errors";

/**
 * What an error of the kernel means for a file (errno(3), path_resolution(7)), and what to do. remedyOf() appends "and run again." to a
 * remedy without a final period.
 */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["EACCES", `Run as root${BECOME_HINT}.`],
  ["EBUSY", "It is in use, such as by a bind mount over it (findmnt shows it): unmount it"],
  ["EDQUOT", "The quota of its file system is used up: free space there"],
  ["EEXIST", "Something else has made a file of that name meanwhile: run again."],
  ["EFBIG", "It would be larger than this process may write or its file system allows: raise the limit (ulimit -f)"],
  ["EINVAL", "Its file system or the kernel does not accept this: see which it is (findmnt -T)."],
  ["EIO", "Its disk has an error: see the kernel's log (dmesg), replace the disk"],
  ["EISDIR", "It is a directory: move it away"],
  ["ELOOP", "Its links form a loop: remove them"],
  ["EMFILE", "This process has too many open files: raise the limit (ulimit -n)"],
  ["EMLINK", "Its directory has too many links: remove some"],
  ["ENAMETOOLONG", "Its name is too long for its file system: choose a shorter one."],
  ["ENFILE", "This host has too many open files: raise the limit (sysctl fs.file-max)"],
  ["ENOENT", "It or its directory is missing: see whether something removes it, and run again."],
  ["ENOMEM", "This host is out of memory: free some"],
  ["ENOSPC", "Free space on its file system"],
  ["ENOTDIR", "A part of its path is not a directory: move that away"],
  ["EOPNOTSUPP", "Its file system does not support this: see which it is (findmnt -T)."],
  ["EOVERFLOW", "It is too large to be read: move it away"],
  ["EPERM", `It may be immutable (lsattr shows an i): run chattr -i on it and run again, as root${BECOME_HINT}.`],
  ["EROFS", "Its file system is mounted read-only: remount it read-write"],
  ["ESTALE", "Its file system was mounted from a server that has changed: mount it again"],
  ["ETIMEDOUT", "The server of its file system does not answer: check the mount (findmnt -T)"],
  ["ETXTBSY", "It is a program that runs: end that"],
  ["EXDEV", "It is a mount point (findmnt shows it): unmount it"],
]);

const OTHERWISE = "Check its file system (findmnt -T, dmesg)";

/**
 * The error of a file: what is wrong (`problem`, such as "can't be read"), what was found, and what to do. `state` says what is known
 * of the file, such as "it is unchanged". An error that does not come from the kernel is returned as it is.
 */
export function fileError(path: string, problem: string, error: unknown, state = ""): unknown {
  const { code: nodeCode, message = "" } = error as NodeJS.ErrnoException;
  if (error instanceof UserError || typeof nodeCode !== "string") return error;
  const code = nodeCode.replace(/^ERR_FS_/, "");
  // Node.js's messages are as in "EBUSY: resource busy or locked, rename 'a' -> 'b'".
  const meaning = /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1];
  const found = [...(meaning === undefined ? [code] : [`${code}: ${meaning}`]), ...(state === "" ? [] : [state])];
  return new UserError(`${path}: ${problem} (found ${found.join("; ")}). ${remedyOf(code)}`, code);
}

/** The code of the kernel's or Node.js's error, such as ENOENT; the error as text if it has none. */
export function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

/** What to do about an error of the kernel, as a sentence. */
export function remedyOf(code: string): string {
  const remedy = REMEDIES.get(code) ?? OTHERWISE;
  return remedy.endsWith(".") ? remedy : `${remedy} and run again.`;
}
