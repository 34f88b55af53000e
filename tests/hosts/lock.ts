import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CACHE } from "./paths";
import { exitStatus } from "./run";

/**
 * Does something while no other process holds the lock of this name. Waits for the lock at most the given time, then
 * throws. The lock goes with this process, however it ends: a child holds it for as long as our end of its input is open.
 */
export async function withLock<T>(name: string, waitSeconds: number, action: () => Promise<T>): Promise<T> {
  mkdirSync(CACHE, { recursive: true, mode: 0o700 });
  const file = join(CACHE, `${name}.lock`);
  const argv = ["--wait", String(waitSeconds), file, "sh", "-c", "echo held && exec cat >/dev/null"];
  // Detached, or the terminal's Ctrl-C would end the lock before the one who holds it.
  const holder = spawn("flock", argv, { detached: true, stdio: ["pipe", "pipe", "ignore"] });
  holder.stdin.on("error", () => {});
  const ended = new Promise<void>((resolve) => holder.on("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    holder.on("error", (error) => reject(new Error(`flock can't be started: ${error.message}`)));
    holder.on("exit", (code, signal) =>
      reject(new Error(`${file} is still locked after ${waitSeconds} s (flock: status ${exitStatus(code, signal)})`)),
    );
    holder.stdout.once("data", () => resolve());
  });
  try {
    return await action();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
