import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf, UserError } from "./errors";

/**
 * Replaces a file's content, or makes the file, so that at every moment either the old or the new content is there,
 * whole, and still is after a power failure. Takes the path (a link is followed, what it points at is replaced), the
 * content with one character a byte, and the permission bits; the owner stays as it was. Missing folders are made.
 * Throws Node's own error, with the old content in place, or a UserError where the new one is and may not last.
 */
export function replaceFile(path: string, content: string, mode: number): void {
  const old = statOf(path);
  const target = old ? realpathSync(path) : followed(path);
  const folder = dirname(target);
  mkdirSync(folder, { recursive: true });
  // A leading dot: neither ifupdown's `source interfaces.d/*` nor systemd reads the file while it is being written.
  const temporary = join(folder, `.${basename(target)}.weave-new`);
  rmSync(temporary, { force: true });
  try {
    const file = openSync(temporary, "wx", mode);
    try {
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
  try {
    syncFolder(folder);
  } catch (error) {
    throw new UserError(
      `${path} is replaced, and may be as before after a power failure: ${messageOf(error)}. Run again once its disk is well`,
    );
  }
}

/** Removes a file so that it is gone after a power failure too. A file that is not there is no error. */
export function removeFile(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })) return;
  rmSync(path);
  syncFolder(dirname(path));
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

/** Where a path without a file leads: a link may point at what is not there yet. */
function followed(path: string): string {
  const link = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : null;
  return link === null ? path : followed(resolve(dirname(path), link));
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
