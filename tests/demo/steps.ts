import { ansiblePlaybook, type PlaybookRun } from "../e2e/playbook";
import type { Cluster } from "../hosts/cluster";
import { held } from "./screen";

/** A claim of the demonstration's that is not true of the hosts. */
export class NotHeld extends Error {}

/** Shows a claim as held; throws with what was found instead if it is not. */
export function demand(condition: boolean, claim: string, otherwise: string): void {
  if (!condition) throw new NotHeld(`${claim}: it did not hold. ${otherwise}`);
  held(claim);
}

/** Runs a playbook on the hosts; throws with its output if it fails. */
export async function play(cluster: Cluster, args: readonly string[]): Promise<PlaybookRun> {
  const log = (line: string): void => {
    const task = /^(?:TASK|RUNNING HANDLER) \[(.*)\]/.exec(line)?.[1];
    if (task !== undefined) progress(task.replace("weave : ", ""));
  };
  const run = await ansiblePlaybook(cluster.inventory, args, { log });
  progress("");
  if (run.status !== 0) throw new NotHeld(`ansible-playbook ended with status ${run.status}:\n${run.output}`);
  return run;
}

/** Shows what is being done, in place, where somebody watches. */
function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text === "" ? "" : `   … ${text}`}`);
}
