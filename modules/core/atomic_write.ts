import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf, UserError } from "./errors";
import { followLinks } from "./host/paths";
import { run } from "./host/run";

/** There while the kernel has SELinux. */
const SELINUX = "/sys/fs/selinux/enforce";

/**
 * Creates a file or replaces its content atomically: at any moment, and after a power failure, the file has either the whole
 * old or the whole new content (one character per byte). Symbolic links are followed, and `mode` is set. Owner, ACL, extended
 * attributes and SELinux context are kept, as far as the host's cp can; a new file gets the context that SELinux's policy has for
 * its path. Missing directories are created, with the mode 0755, or 0700 for a file that only its owner may read. Throws Node.js's error
 * or a UserError if the old content is still in place, a UserError if the new one is but may be lost in a power failure.
 */
export function replaceFile(path: string, content: string, mode: number): void {
  const old = statOf(path);
  const { target } = followLinks(resolve(path));
  const directory = dirname(target);
  const made = makeDirectory(directory, (mode & 0o077) === 0 ? 0o700 : 0o755);
  // With a leading dot, neither ifupdown's `source interfaces.d/*` nor systemd reads the unfinished file.
  const temporary = join(directory, `.${basename(target)}.weave-new`);
  rmSync(temporary, { force: true });
  try {
    const file = openSync(temporary, "wx", mode);
    try {
      if (old) copyAttributes(target, temporary);
      if (old) fchownSync(file, old.uid, old.gid);
      fchmodSync(file, mode);
      writeWhole(file, Buffer.from(content, "latin1"));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  if (!old && existsSync(SELINUX)) run(["restorecon", ...made, target], { mayFail: true });
  try {
    syncDirectory(directory);
  } catch (error) {
    throw new UserError(
      `${path}: must be kept through a power failure (found that it is replaced, and may be as before after one: ${messageOf(error)}). Check its disk and run again.`,
    );
  }
}

/** Removes a file if it exists, so that it stays removed after a power failure. */
export function removeFile(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })) return;
  rmSync(path);
  syncDirectory(dirname(path));
}

/** Creates a directory and those above it that are missing, so that none is lost in a power failure, and returns their paths. */
function makeDirectory(path: string, mode: number): string[] {
  if (statOf(path)) return [];
  const above = dirname(path);
  const made = makeDirectory(above, mode);
  mkdirSync(path, { mode });
  // The process's umask may have taken rights away.
  chmodSync(path, mode);
  syncDirectory(above);
  return [...made, path];
}

/** Node.js has no calls for ACLs and extended attributes. Other implementations of cp than GNU's, such as busybox, lack these flags. */
function copyAttributes(from: string, to: string): void {
  const flags = ["--attributes-only", "--preserve=all", "--no-preserve=timestamps"];
  run(["cp", ...flags, "--", from, to], { mayFail: true });
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
