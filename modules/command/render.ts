import type { Diff, Result } from "../core/run_module";

/** Takes a module's result; returns it as lines for a person: the changes, what they interrupt, warnings, the outcome. */
export function renderResult(result: Result): string {
  const diffs = (result.diff ?? []).map(renderDiff);
  const disrupts = (result.disrupts ?? []).map((what) => `interrupts ${what}`);
  const warnings = (result.warnings ?? []).map((warning) => `warning: ${warning}`);
  const outcome = result.failed ? `failed: ${result.msg}` : result.changed ? "changed" : "ok: nothing to change";
  return [...diffs, ...disrupts, ...warnings, outcome].join("\n");
}

/** All lines of before and after: the changes are few and short. */
function renderDiff({ before_header, before, after }: Diff): string {
  const lines = (text: string, mark: string): string[] =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => `${mark} ${line}`);
  return [before_header, ...lines(before, "-"), ...lines(after, "+"), ""].join("\n");
}
