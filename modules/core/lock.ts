import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { fileError } from "./errno";
import { UserError } from "./errors";
import type { RunOutput } from "./host/host";
import { runUntilSignal } from "./host/run";

/** /run is writable by root only, and empty after a boot. */
const LOCK = "/run/apollo-weave.lock";
const WAIT_SECONDS = 60;

/**
 * Runs `work` while it holds this host's lock, and returns its result. Throws a UserError if another process still holds the
 * lock after `seconds`, or if the file can't be locked.
 *
 * flock(2) locks an open file until this process ends in any way. Node.js can't call it, so flock(1) locks the file descriptor
 * that it shares with this process. lslocks would show the process id of flock(1), which has ended. So the holder writes its own
 * into the file, and the message about a held lock names that.
 */
export async function withLock<T>(work: () => Promise<T>, path = LOCK, seconds = WAIT_SECONDS): Promise<T> {
  const file = open(path);
  try {
    requireOwn(path, file);
    const { status, stderr } = await flock(file, path, seconds);
    if (status === 1) {
      throw new UserError(
        `${path}: must not be held by another run (found it held for ${seconds} s${holder(path)}). Wait until that run ends and ` +
          "run again.",
      );
    }
    if (status !== 0) throw notLocked(path, stderr);
    write(file, `${process.pid}\n`);
    try {
      return await work();
    } finally {
      write(file, "");
    }
  } finally {
    closeSync(file);
  }
}

async function flock(file: number, path: string, seconds: number): Promise<RunOutput> {
  try {
    return await runUntilSignal(["flock", "-w", String(seconds), "3"], { mayFail: true, timeout: seconds + 30 }, [
      file,
    ]);
  } catch (error) {
    throw error instanceof UserError ? notLocked(path, error.message) : error;
  }
}

function notLocked(path: string, found: string): UserError {
  return new UserError(
    `${path}: must be a file that root can lock (found: ${found.trim().replace(/\.$/, "")}). Check that util-linux's flock works on ` +
      `this host (flock ${path} true).`,
  );
}

/** Who holds the lock only helps whoever reads it, so a full file system does not matter. */
function write(file: number, text: string): void {
  try {
    ftruncateSync(file);
    writeSync(file, text, 0);
  } catch {
    // The lock holds all the same.
  }
}

function holder(path: string): string {
  const pid = Number(readFileSync(path, "latin1"));
  return pid > 0 ? `, by process ${pid}` : "";
}

function open(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, MODE);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // It is not followed.
    if (code === "ELOOP") throw new UserError(`${path}: must be a file (found a link). Remove it and run again.`);
    throw fileError(path, "can't be opened", error);
  }
}

/** A user who can open the file can lock it, so only root may. */
const MODE = 0o600;

function requireOwn(path: string, file: number): void {
  const { uid, mode } = fstatSync(file);
  if (uid !== process.geteuid?.()) {
    throw new UserError(`${path}: must be owned by root (found user id ${uid}). Remove it and run again.`);
  }
  if ((mode & 0o777) !== MODE) fchmodSync(file, MODE);
}
