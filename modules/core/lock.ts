import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { UserError } from "./errors";
import { PATH } from "./host/linux";

/** In a folder where root alone may make files, and which is empty after a boot. */
const LOCK = "/run/apollo-weave.lock";
const WAIT_SECONDS = 60;

/**
 * Does the work while no other run of these modules is at work on this host, and returns what it returns. Throws a UserError
 * where another is still at it after so many seconds, or where the file can't be locked.
 *
 * The lock is flock(2)'s on an open file, so it ends with this process however that ends. Node has no such call: flock(1)
 * makes it on the file that it shares with this process, and leaves it locked.
 */
export async function withLock<T>(work: () => Promise<T>, path = LOCK, seconds = WAIT_SECONDS): Promise<T> {
  const file = open(path);
  try {
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
    // Whoever may open a file may lock it, so it is root's alone.
    return openSync(path, "a", 0o600);
  } catch (error) {
    throw new UserError(`can't open ${path}: ${(error as NodeJS.ErrnoException).code}; run as root (become: true)`);
  }
}
