import type { Machine } from "../hosts/machine";

/** Runs a shell script on a host. Returns what it printed, without white space around it. Throws if it fails, unless `check` is false. */
export async function sh(host: Machine, script: string, check = true): Promise<string> {
  return (await host.exec(["sh", "-c", script], { check, timeoutSeconds: 150 })).stdout.trim();
}

/** Shell that waits for a condition, and fails if it does not come true within a minute: slow machines take long for all things. */
export const waitUntil = (condition: string): string =>
  `{ for i in $(seq 600); do if ${condition}; then break; fi; sleep 0.1; done; ${condition}; }`;
