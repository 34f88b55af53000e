import { Refusal } from "../core/refusal";

/** An assignment in an EnvironmentFile: its value, and where it stands in the text. */
interface Assignment {
  readonly key: string;
  readonly value: string;
  readonly start: number;
  /** Behind its last character, before the newline. */
  readonly end: number;
}

/**
 * The value of a variable in a file that systemd reads as EnvironmentFile (systemd.exec(5)), or null where it is not set.
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
 * Takes the content of an EnvironmentFile; returns it with the variable set. The assignment that counts is rewritten where
 * it stands, or one is added at the end; every other byte stays.
 */
export function withEnvironmentValue(content: string, key: string, value: string): string {
  const assignment = assignments(content)
    .filter((candidate) => candidate.key === key)
    .at(-1);
  const line = `${key}=${quote(value)}`;
  if (assignment) return content.slice(0, assignment.start) + line + content.slice(assignment.end);
  const separator = content === "" || content.endsWith("\n") ? "" : "\n";
  return `${content}${separator}${line}\n`;
}

/** Renders a whole EnvironmentFile. */
export function renderEnvironment(comment: string, variables: ReadonlyMap<string, string>): string {
  return [`# ${comment}`, ...[...variables].map(([key, value]) => `${key}=${quote(value)}`), ""].join("\n");
}

/** Double quotes; what is special between them gets a backslash. */
function quote(value: string): string {
  if (/\p{Cc}/u.test(value))
    throw new Refusal(`${JSON.stringify(value)} can't stand in an environment file; remove the control characters`);
  return `"${value.replace(/["\\$`]/g, "\\$&")}"`;
}

/** The grammar of systemd's parse_env_file: comments, continued lines, and values of bare, single and double quoted pieces. */
const PIECES = String.raw`(?:"(?:\\[\s\S]|[^"\\])*"|'[^']*'|\\[\s\S]|[^\n"'\\])*`;
const LINE = new RegExp(
  String.raw`[ \t]*(?:[#;](?:\\[\s\S]|[^\n\\])*|([A-Za-z_][A-Za-z0-9_]*)[ \t]*=(${PIECES})|(?:\\[\s\S]|[^\n\\])*)`,
  "y",
);

function assignments(content: string): Assignment[] {
  const found: Assignment[] = [];
  for (let at = 0; at < content.length; at++) {
    LINE.lastIndex = at;
    const [line = "", key, pieces = ""] = LINE.exec(content) ?? [];
    if (key !== undefined) found.push({ key, value: unquote(pieces.trim()), start: at, end: at + line.length });
    at += line.length;
  }
  return found;
}

function unquote(pieces: string): string {
  return pieces.replace(
    /"((?:\\[\s\S]|[^"\\])*)"|'([^']*)'|\\([\s\S])/g,
    (_, double?: string, single?: string, bare?: string) => {
      if (double !== undefined) return double.replace(/\\\n/g, "").replace(/\\(["\\$`])/g, "$1");
      return single ?? (bare === "\n" ? "" : (bare ?? ""));
    },
  );
}
