import { spawnSync } from "node:child_process";
import { closeSync, constants, fchmodSync, fstatSync, openSync } from "node:fs";
import { UserError } from "./errors";
import { PATH } from "./host/linux";

/** /run is writable by root only, and empty after a boot. */
const LOCK = "/run/apollo-weave.lock";
const WAIT_SECONDS = 60;

/**
 * Runs `work` while it holds this host's lock, and returns its result. Throws a UserError if another process still holds the
 * lock after `seconds`, or if the file can't be locked.
 *
 * flock(2) locks an open file until this process ends in any way. Node can't call it, so flock(1) locks the file descriptor
 * that it shares with this process.
 */
export async function withLock<T>(work: () => Promise<T>, path = LOCK, seconds = WAIT_SECONDS): Promise<T> {
  const file = open(path);
  try {
    requireOwn(path, file);
    const { error, status, stderr } = spawnSync("flock", ["-w", String(seconds), "3"], {
      encoding: "utf8",
      env: { PATH, LC_ALL: "C" },
      stdio: ["ignore", "ignore", "pipe", file],
    });
    if (status === 1) {
      throw new UserError(
        `another run is in progress on this host: it has held ${path} for ${seconds} s. Wait for its end (lslocks shows it) and run again`,
      );
    }
    if (status !== 0) throw new UserError(`can't lock ${path}: ${error?.message ?? stderr.trim()}`);
    return await work();
  } finally {
    closeSync(file);
  }
}

function open(path: string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, MODE);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ELOOP: it is a link.
    throw new UserError(
      `can't open ${path}: ${code}; ${code === "ELOOP" ? "remove it and run again" : "run as root (become: true)"}`,
    );
  }
}

/** A user who can open the file can lock it, so only root may. */
const MODE = 0o600;

function requireOwn(path: string, file: number): void {
  const { uid, mode } = fstatSync(file);
  if (uid !== process.geteuid?.()) {
    throw new UserError(`${path} is not root's (it belongs to the user ${uid}). Remove it and run again`);
  }
  if ((mode & 0o777) !== MODE) fchmodSync(file, MODE);
}
