import type { WriteStream } from "node:tty";
import { diffArrays } from "diff";
import type { Diff, Result, RunMode } from "../core/run_module";

/**
 * Exit statuses. As with `terraform plan -detailed-exitcode`, "would change" has its own, so that a script that asks whether a host is
 * up to date can distinguish it from a failure.
 */
export const EXIT = { done: 0, failed: 1, usage: 2, wouldChange: 3 } as const;

/** The exit statuses, for --help. */
export const EXIT_STATUSES = `Exit status:
  ${EXIT.done}  done, or nothing to do
  ${EXIT.failed}  failed: the message says what to do next
  ${EXIT.usage}  the command line is wrong; nothing was read or changed
  ${EXIT.wouldChange}  under --check: something would change`;

/** Writes to standard output. */
export function print(text: string): void {
  process.stdout.write(text);
}

/** Writes one message to standard error. */
export function printError(message: string): void {
  process.stderr.write(`apollo-weave: ${message}\n`);
}

/** A reader that closes the pipe early (`| head`) is not a failure. */
export function allowClosedPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return;
    printError(`can't write to standard output: ${error.message}.`);
    process.exitCode = EXIT.failed;
  });
}

/** Adds a style to a text. */
export type Paint = (style: Style, text: string) => string;

/** The styles that the output uses. */
export type Style = keyof typeof CODES;

/** ECMA-48 codes: on, off. */
const CODES = { bold: [1, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], dim: [2, 22] } as const;

/** Adds no style. */
export const plain: Paint = (_, text) => text;

/** Colours if the stream is a terminal that has them. Node.js checks NO_COLOR (no-color.org). */
export function paintFor(stream: Pick<WriteStream, "isTTY" | "hasColors">): Paint {
  if (!stream.isTTY || !stream.hasColors()) return plain;
  return (style, text) => `\x1b[${CODES[style][0]}m${text}\x1b[${CODES[style][1]}m`;
}

/** A module's result as lines of text: changes, disruptions, pending actions, what is `left` to do and, unless it failed, the outcome. */
export function renderResult(result: Result, { check }: RunMode, paint: Paint, left: readonly string[] = []): string {
  const { failed, changes = [], diff, disruptions = [], pending = [] } = result;
  const changed = diff?.map((each) => renderDiff(each, paint)) ?? changes.map((subject) => paint("bold", subject));
  const interrupted = disruptions.map((what) => `${check ? "would interrupt" : "interrupts"} ${what}`);
  const waiting = pending.map((what) => `${check ? "would be pending" : "pending"}: ${what}`);
  const outcome = failed ? [] : [outcomeOf(changes.length - pending.length, pending.length, check)];
  const lines = [...changed, ...[...interrupted, ...waiting, ...left].map((line) => paint("yellow", line)), ...outcome];
  return lines.map((line) => `${line}\n`).join("");
}

function outcomeOf(own: number, pending: number, check: boolean): string {
  if (own > 0) return check ? "would change" : "changed";
  return pending > 0 ? "ok: nothing to change except what is pending" : "ok: nothing to change";
}

function renderDiff({ before_header, before, after }: Diff, paint: Paint): string {
  const lines = diffLines(before, after).map((line) => renderLine(line, paint));
  return [paint("bold", before_header), ...lines, ""].join("\n");
}

function renderLine({ mark, text }: DiffLine, paint: Paint): string {
  const line = `  ${mark} ${text}`.trimEnd();
  return mark === " " ? line : paint(mark === "-" ? "red" : "green", line);
}

/** A line of a diff. */
export interface DiffLine {
  /** In both texts, only in the first, or only in the second. */
  readonly mark: " " | "-" | "+";
  readonly text: string;
}

/** Lines of context around a change. */
const CONTEXT = 3;

/** The differing lines of two texts with their context; "@@" replaces the lines that are left out. */
export function diffLines(before: string, after: string): DiffLine[] {
  const all = diffArrays(linesOf(before), linesOf(after)).flatMap(({ added, removed, value }) =>
    value.map((text): DiffLine => ({ mark: added ? "+" : removed ? "-" : " ", text })),
  );
  const isNear = (index: number): boolean =>
    all.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ mark }) => mark !== " ");
  if (!all.some((_, index) => isNear(index))) return [];
  return all.flatMap((line, index) => {
    if (isNear(index)) return [line];
    return index === 0 || isNear(index - 1) ? [{ mark: " ", text: "@@" } as const] : [];
  });
}

/** A last line without a line end is marked, so that it differs from the same line with one. */
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  const last = lines.pop();
  return last === "" || last === undefined ? lines : [...lines, `${last} (no end of line)`];
}
