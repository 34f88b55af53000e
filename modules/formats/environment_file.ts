import { isUtf8 } from "../core/bytes";
import { UserError } from "../core/errors";
import { lineOf } from "../core/text";

/** An assignment in an EnvironmentFile: its value and its position in the text. */
interface Assignment {
  readonly key: string;
  readonly value: string;
  readonly start: number;
  /** After its last character, before the newline. */
  readonly end: number;
}

/**
 * The value of a variable in a file that systemd reads as EnvironmentFile (systemd.exec(5)), or null if it is not set.
 * The last assignment counts, and nothing in it is expanded.
 */
export function environmentValue(content: string, key: string): string | null {
  return (
    assignments(content)
      .filter((assignment) => assignment.key === key)
      .at(-1)?.value ?? null
  );
}

/**
 * The content of an EnvironmentFile with the variable set, or removed if the value is null. The last assignment is replaced in
 * place, or one is added at the end; every other byte is kept. Throws a UserError for control characters.
 */
export function withEnvironmentValue(content: string, key: string, value: string | null): string {
  const all = assignments(content).filter((candidate) => candidate.key === key);
  const assignment = all.at(-1);
  if (value === null) {
    return all.reduceRight(
      (text, { start, end }) => text.slice(0, start).replace(/[ \t]+$/, "") + text.slice(end).replace(/^\r?\n/, ""),
      content,
    );
  }
  const line = assignmentOf(key, value);
  if (assignment) return content.slice(0, assignment.start) + line + content.slice(assignment.end);
  const newline = content.includes("\r\n") ? "\r\n" : "\n";
  const separator = content === "" || content.endsWith("\n") ? "" : newline;
  return `${content}${separator}${line}${newline}`;
}

/** A variable that an EnvironmentFile sets. */
export interface EnvironmentVariable {
  readonly value: string;
  /** The line of its last assignment, from 1. */
  readonly line: number;
  /** Whether its value differs between systemd before 254 and since, which reads a comment's last backslash in another way. */
  readonly doubtful: boolean;
}

/**
 * The variables that systemd reads from an EnvironmentFile. Null where it ignores the whole file: where there is a NUL, or an
 * assignment that is not UTF-8 (load_env_file(), src/basic/env-file.c).
 */
export function environmentVariables(content: string): ReadonlyMap<string, EnvironmentVariable> | null {
  const [before, since] = [assignments(content), assignments(content, BEGINNING_SINCE_254)];
  if (content.includes("\0") || before.some(({ key, value }) => !isUtf8(`${key}=${value}`))) return null;
  const names = new Set([...before, ...since].map(({ key }) => key).filter((key) => /^[A-Za-z_]\w*$/.test(key)));
  const last = (all: readonly Assignment[], name: string): Assignment | undefined =>
    all.filter(({ key }) => key === name).at(-1);
  return new Map(
    [...names].map((name) => {
      const [earlier, later] = [last(before, name), last(since, name)];
      const { value = "", start = 0 } = earlier ?? later ?? {};
      return [name, { value, line: lineOf(content, start), doubtful: earlier?.value !== later?.value }];
    }),
  );
}

/** Renders a whole EnvironmentFile. Throws a UserError for control characters. */
export function renderEnvironment(comment: string, variables: ReadonlyMap<string, string>): string {
  return [`# ${comment}`, ...[...variables].map(([key, value]) => assignmentOf(key, value)), ""].join("\n");
}

/** The line that sets a variable, escaped so that both systemd and a shell read it. Throws a UserError for control characters. */
export function assignmentOf(key: string, value: string): string {
  // Only ASCII's control characters: the content has one character per byte, and UTF-8 uses the bytes 0x80 to 0x9f.
  if (/[^\x20-\x7e\x80-\uffff]/.test(value))
    throw new UserError(
      `${key} must not have control characters (found ${JSON.stringify(value)}). Remove them and run again.`,
    );
  return `${key}="${value.replace(/["\\$`]/g, "\\$&")}"`;
}

/**
 * The grammar of systemd's parse_env_file(), where both \n and \r end a line: a comment, or a name up to "=". A value begins with
 * quoted pieces, which can span lines, and ends with an unquoted piece, in which a quote has no special meaning.
 */
const BEGINNING = /[ \t\n\r]*(?:[#;](?:\\[\s\S]|[^\n\r\\])*|([^=\n\r]*)=|[^\n\r]*)/y;
/** From version 254 on, a comment ends with its line even if that ends with a backslash. */
const BEGINNING_SINCE_254 = /[ \t\n\r]*(?:[#;][^\n\r]*|([^=\n\r]*)=|[^\n\r]*)/y;
const QUOTED = /[ \t]*(?:'([^']*)(?:'|$)|"((?:\\[\s\S]|[^"\\])*)(?:"|$))/y;
const BARE = /[ \t]*((?:\\[\s\S]|[^\n\r\\])*)/y;

function assignments(content: string, beginningOf = BEGINNING): Assignment[] {
  const found: Assignment[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(content);
    at += match?.[0].length ?? 0;
    return match;
  };
  while (at < content.length) {
    const before = at;
    const [beginning = "", key] = take(beginningOf) ?? [];
    if (key !== undefined) {
      const start = before + (beginning.length - beginning.trimStart().length);
      found.push({ key: key.trim(), value: takeValue(take), start, end: at });
    }
    if (at === before) at++;
  }
  return found;
}

function takeValue(take: (pattern: RegExp) => RegExpExecArray | null): string {
  let value = "";
  for (let piece = take(QUOTED); piece !== null; piece = take(QUOTED)) {
    const [, single, double = ""] = piece;
    value += single ?? double.replace(/\\\n/g, "").replace(/\\(["\\$`])/g, "$1");
  }
  const bare = take(BARE)?.[1] ?? "";
  // Trailing white space is dropped unless it is escaped.
  const kept = /^(?:[ \t]*(?:\\[\s\S]|[^\\ \t]))*/.exec(bare)?.[0] ?? "";
  return value + kept.replace(/\\([\s\S])/g, (_, escaped: string) => (/[\n\r]/.test(escaped) ? "" : escaped));
}
