import * as assert from "uvu/assert";
import type { PlaybookRun, TaskResult } from "./playbook";

/** Fails unless a check said of every task on every host just what the run then did: outcome, changed, diff, returned values. */
export function assertPredicted(check: PlaybookRun, run: PlaybookRun): void {
  const [predicted, made] = [byHostAndTask(check), byHostAndTask(run)];
  assert.equal([...predicted.keys()], [...made.keys()], "the same tasks ran on the same hosts");
  for (const [task, result] of made) assert.equal(essence(predicted.get(task)), essence(result), task);
}

function byHostAndTask({ results }: PlaybookRun): ReadonlyMap<string, TaskResult> {
  return new Map(
    results
      .map((result): [string, TaskResult] => [`${result.host}: ${result.task}`, result])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/**
 * What the live router says of itself is not there before it runs, and its connections come and go. Facts of the host have
 * its clock and its load in them.
 */
function essence(task: TaskResult | undefined): object | undefined {
  const { router: _, ansible_facts: __, ...predictable } = task?.result ?? {};
  return task && { outcome: task.outcome, ...predictable };
}
