import * as assert from "uvu/assert";
import type { PlaybookRun } from "./playbook";
import type { TaskResult } from "./task_result";

/** Fails unless a check said of every task on every host just what the run then did: outcome, changed, diff, returned values. */
export function assertPredicted(check: PlaybookRun, run: PlaybookRun): void {
  const [predicted, made] = [byHostAndTask(check), byHostAndTask(run)];
  assert.equal([...predicted.keys()], [...made.keys()], "the same tasks ran on the same hosts");
  for (const [task, result] of made) assert.equal(predictablePart(predicted.get(task)), predictablePart(result), task);
}

function byHostAndTask({ results }: PlaybookRun): ReadonlyMap<string, TaskResult> {
  return new Map(
    results
      .map((result): [string, TaskResult] => [`${result.host}: ${result.task}`, result])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** What a check can know of a task's result. */
function predictablePart(task: TaskResult | undefined): object | undefined {
  // A check makes no request by `uri`.
  if (argumentsOf(task?.result)["url"] !== undefined) return {};
  return task && { outcome: task.outcome, ...predictablePartOf(task.result) };
}

function predictablePartOf(result: TaskResult["result"]): object {
  // The router reports nothing before it runs, and facts contain the host's clock and load.
  const { router: _, ansible_facts: __, results, ...predictable } = result;
  const { cmd, changed, diff } = predictable;
  if (results !== undefined) return { changed, results: (results as TaskResult["result"][]).map(predictablePartOf) };
  // The output of a command, and its time, are not known before.
  if (cmd !== undefined) return { changed, cmd };
  const { path, state } = argumentsOf(result);
  if (path === undefined || state !== "absent") return predictable;
  // Ansible shows a removed file's attributes only while it is there, and a directory's contents only then.
  return { changed, diff: JSON.stringify(diff, (key, value) => (key === "path_content" ? undefined : value)) };
}

function argumentsOf(result: TaskResult["result"] | undefined): Readonly<Record<string, unknown>> {
  return (result?.["invocation"] as { module_args?: Record<string, unknown> } | undefined)?.module_args ?? {};
}
