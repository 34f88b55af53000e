import { ansiblePlaybook, type PlaybookRun } from "../e2e/playbook";
import type { Cluster } from "../hosts/cluster";
import { passed } from "./screen";

/** A claim of the demonstration's that is not true of the hosts. */
export class ClaimFailed extends Error {}

/** Shows a claim as passed; throws with what was found instead if it is not. */
export function expectThat(condition: boolean, claim: string, otherwise: string): void {
  if (!condition) throw new ClaimFailed(`${claim}: this is not true. ${otherwise}`);
  passed(claim);
}

/** Runs a playbook on the hosts; throws with its output if it fails. */
export async function play(cluster: Cluster, args: readonly string[]): Promise<PlaybookRun> {
  const log = (line: string): void => {
    const task = /^(?:TASK|RUNNING HANDLER) \[(.*)\]/.exec(line)?.[1];
    if (task !== undefined) progress(task.replace("weave : ", ""));
  };
  const run = await ansiblePlaybook(cluster.inventory, args, { log });
  progress("");
  if (run.status !== 0) throw new ClaimFailed(`ansible-playbook ended with status ${run.status}:\n${run.output}`);
  return run;
}

/** Shows what is being done, in place, where somebody watches. */
function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text === "" ? "" : `   … ${text}`}`);
}
