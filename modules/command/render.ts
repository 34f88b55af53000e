import type { Diff, Result, RunMode } from "../core/run_module";
import { diffLines, type Line } from "./line_diff";
import type { Paint } from "./paint";

/** Takes a module's result; returns it as lines for a person: what changes, what that interrupts, and unless it failed the outcome. */
export function renderResult(result: Result, { check }: RunMode, paint: Paint): string {
  const { failed, changes = [], diff, disruptions = [], pending = [] } = result;
  const shown = diff?.map((each) => renderDiff(each, paint)) ?? changes.map((subject) => paint("bold", subject));
  const interrupted = disruptions.map((what) => `${check ? "would interrupt" : "interrupts"} ${what}`);
  const left = pending.map((what) => `${check ? "would owe" : "owes"} ${what}`);
  const outcome = failed ? [] : [outcomeOf(changes.length - pending.length, pending.length, check)];
  const lines = [...shown, ...[...interrupted, ...left].map((line) => paint("yellow", line)), ...outcome];
  return lines.map((line) => `${line}\n`).join("");
}

function outcomeOf(own: number, owed: number, check: boolean): string {
  if (own > 0) return check ? "would change" : "changed";
  return owed > 0 ? "ok: nothing to change but what is owed" : "ok: nothing to change";
}

/** What differs, then the lines of it. */
export function renderDiff({ before_header, before, after }: Diff, paint: Paint): string {
  const lines = diffLines(before, after).map((line) => renderLine(line, paint));
  return [paint("bold", before_header), ...lines, ""].join("\n");
}

function renderLine({ mark, text }: Line, paint: Paint): string {
  const line = `  ${mark} ${text}`.trimEnd();
  return mark === " " ? line : paint(mark === "-" ? "red" : "green", line);
}
