import type { Machine } from "../hosts/machine";

/** Runs a shell script on a host. Returns what it printed, without white space around it. Throws if it fails, unless `check` is false. */
export async function sh(host: Machine, script: string, check = true): Promise<string> {
  return (await host.exec(["sh", "-c", script], { check, timeoutSeconds: 150 })).stdout.trim();
}
