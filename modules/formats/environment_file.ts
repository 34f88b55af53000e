import { UserError } from "../core/errors";

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
 * place, or one is added at the end; every other byte is kept.
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
  const line = `${key}=${doubleQuoted(value)}`;
  if (assignment) return content.slice(0, assignment.start) + line + content.slice(assignment.end);
  const separator = content === "" || content.endsWith("\n") ? "" : "\n";
  return `${content}${separator}${line}\n`;
}

/** Renders a whole EnvironmentFile. */
export function renderEnvironment(comment: string, variables: ReadonlyMap<string, string>): string {
  return [`# ${comment}`, ...[...variables].map(([key, value]) => `${key}=${doubleQuoted(value)}`), ""].join("\n");
}

/**
 * A value in double quotes, escaped so that both systemd and a shell read it. Throws a UserError for control characters.
 */
export function doubleQuoted(value: string): string {
  // Only ASCII's control characters: the content has one character per byte, and UTF-8 uses the bytes 0x80 to 0x9f.
  if (/[^\x20-\x7e\x80-\uffff]/.test(value))
    throw new UserError(`${JSON.stringify(value)} can't stand in an environment file; remove the control characters`);
  return `"${value.replace(/["\\$`]/g, "\\$&")}"`;
}

/**
 * The grammar of systemd's parse_env_file(), where both \n and \r end a line: a comment, or a name up to "=". A value begins with
 * quoted pieces, which can span lines, and ends with an unquoted piece, in which a quote has no special meaning.
 */
const BEGINNING = /[ \t\n\r]*(?:[#;](?:\\[\s\S]|[^\n\r\\])*|([^=\n\r]*)=|[^\n\r]*)/y;
const QUOTED = /[ \t]*(?:'([^']*)(?:'|$)|"((?:\\[\s\S]|[^"\\])*)(?:"|$))/y;
const BARE = /[ \t]*((?:\\[\s\S]|[^\n\r\\])*)/y;

function assignments(content: string): Assignment[] {
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
    const [beginning = "", key] = take(BEGINNING) ?? [];
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
