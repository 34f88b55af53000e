import { UserError } from "../core/errors";
import { lineOf } from "../core/text";
import { assignmentOf } from "./environment_file";

/** An assignment in a file that a shell sources. */
export interface ShellAssignment {
  readonly key: string;
  /** The text after "=". */
  readonly raw: string;
  readonly start: number;
  /** After its last character. */
  readonly end: number;
  /** Whether it is always executed: not in an `if` or a function, or after `&&`. */
  readonly always: boolean;
}

/**
 * The value of a variable after a shell has sourced the file, or null if it does not set it. Chains such as
 * `A="$A more"` are followed. Throws a UserError if only a shell could compute the value.
 */
export function shellValue(content: string, key: string): string | null {
  const values = new Map<string, string | null>();
  for (const { key: name, raw, start, always } of assignments(content)) {
    if (name === key && !always) {
      throw new UserError(
        `${key} must be set once, on its own line (found it set conditionally in line ${lineOf(content, start)}: ${key}=${raw}). Set it so and run again.`,
      );
    }
    values.set(name, always ? expand(raw, values, key) : null);
  }
  const value = values.get(key);
  if (value === null) {
    const { raw = "", start = 0 } =
      assignments(content)
        .filter((each) => each.key === key)
        .at(-1) ?? {};
    throw new UserError(
      `${key} must have a value that can be computed without a shell (found ${raw} in line ${lineOf(content, start)}). Replace commands, and variables that are not set there, by their text and run again.`,
    );
  }
  return value ?? null;
}

/**
 * The content of a file that a shell sources with the variable set, or removed if the value is null. Its last assignment is
 * replaced in place and earlier ones of a chain are removed; every other byte is kept.
 */
export function withShellValue(content: string, key: string, value: string | null): string {
  const all = shellAssignments(content, key);
  const last = all.at(-1);
  if (!last) {
    if (value === null) return content;
    return `${content}${content === "" || content.endsWith("\n") ? "" : "\n"}${assignmentOf(key, value)}\n`;
  }
  const links = value === null || refersTo(last.raw, key) ? all.slice(0, -1) : [];
  const edited =
    value === null
      ? withoutAssignment(content, last)
      : `${content.slice(0, last.start)}${assignmentOf(key, value)}${content.slice(last.end)}`;
  return links.reduceRight(withoutAssignment, edited);
}

/** Removes the whole line if nothing else is on it; otherwise leaves an empty value. */
export function withoutAssignment(content: string, { key, start, end }: ShellAssignment): string {
  const lineStart = content.lastIndexOf("\n", start - 1) + 1;
  const newline = content.indexOf("\n", end);
  const lineEnd = newline < 0 ? content.length : newline + 1;
  const around = `${content.slice(lineStart, start)}|${content.slice(end, lineEnd)}`;
  return /^\s*(export\s+)?\|[\s;]*$/.test(around)
    ? content.slice(0, lineStart) + content.slice(lineEnd)
    : `${content.slice(0, start)}${key}=""${content.slice(end)}`;
}

function refersTo(raw: string, key: string): boolean {
  return new RegExp(`\\$(${key}(?![A-Za-z0-9_])|\\{${key}\\})`).test(raw);
}

/** The pieces of a word: quoted, escaped, of a command, of a variable, plain. */
const WORD =
  /(?:'[^']*'|"(?:\\[\s\S]|\$\([^)]*\)|[^"\\])*"|\\[\s\S]|\$\([^)]*\)|\$\{[^}]*\}|`[^`]*`|[^\s;&|()'"\\`])+/y;
const OPERATOR = /\n|;+|&&|\|\||[&|()]/y;
const BLANKS = /(?:[ \t\r]|\\\n)+/y;
const COMMENT = /#[^\n]*/y;

/** The assignments of a variable, in order. */
export function shellAssignments(content: string, key: string): ShellAssignment[] {
  return assignments(content).filter((each) => each.key === key);
}

/** A simple parser of the shell's grammar: commands, their words, and how deep they are in `if`, loops and functions. */
function assignments(content: string): ShellAssignment[] {
  const found: ShellAssignment[] = [];
  let words: { text: string; start: number }[] = [];
  let [depth, conditional] = [0, false];
  const endCommand = (): void => {
    const first = words[0]?.text ?? "";
    if (/^(if|for|while|until|case|\{)$/.test(first)) depth++;
    const rest = /^(export|readonly|then|do|else)$/.test(first) ? words.slice(1) : words;
    const pairs = rest.map(({ text, start }) => ({ match: /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(text), start }));
    // Assignments before a command apply only to that command.
    if (first === "export" || pairs.every(({ match }) => match)) {
      for (const { match, start } of pairs) {
        const [text, key, raw] = match ?? [];
        if (text === undefined || key === undefined || raw === undefined) continue;
        found.push({ key, raw, start, end: start + text.length, always: depth === 0 && !conditional });
      }
    }
    if (/^(fi|done|esac|\})$/.test(first)) depth--;
    words = [];
  };
  for (let at = 0; at < content.length; ) {
    const take = (pattern: RegExp): string => {
      pattern.lastIndex = at;
      const [text = ""] = pattern.exec(content) ?? [];
      return text;
    };
    const blank = take(BLANKS) || take(COMMENT);
    const operator = blank === "" ? take(OPERATOR) : "";
    const word = blank === "" && operator === "" ? take(WORD) : "";
    if (operator !== "") {
      endCommand();
      conditional = operator === "&&" || operator === "||" || operator === "|";
    }
    if (word !== "") words.push({ text: word, start: at });
    at += (blank || operator || word).length || 1; // A quote that is never closed is passed over.
  }
  endCommand();
  return found;
}

/** The value of the text after "=", or null if it is not known. A variable that its own first assignment names is empty. */
function expand(raw: string, values: ReadonlyMap<string, string | null>, key: string): string | null {
  let known = true;
  const variable = (text: string): string => {
    const [, name] = /^\$\{?([A-Za-z_]\w*)\}?$/.exec(text) ?? [];
    const value = name === undefined ? null : (values.get(name) ?? (name === key && !values.has(key) ? "" : null));
    known &&= value !== null;
    return value ?? "";
  };
  const REFERENCE = String.raw`\$\([^)]*\)|\$\{[^}]*\}|\$[A-Za-z_]\w*|\`[^\`]*\``;
  const value = raw.replace(
    new RegExp(String.raw`'([^']*)'|"((?:\\[\s\S]|\$\([^)]*\)|[^"\\])*)"|\\([\s\S])|(${REFERENCE})`, "g"),
    (_, single?: string, double?: string, bare?: string, reference?: string) => {
      if (single !== undefined) return single;
      if (reference !== undefined) return variable(reference);
      if (double === undefined) return bare === "\n" ? "" : (bare ?? "");
      return double.replace(
        new RegExp(String.raw`\\([\s\S])|(${REFERENCE})`, "g"),
        (text: string, escaped?: string, inner?: string) => {
          if (inner !== undefined) return variable(inner);
          if (escaped === "\n") return "";
          return escaped !== undefined && /["\\$`]/.test(escaped) ? escaped : text;
        },
      );
    },
  );
  return known ? value : null;
}
