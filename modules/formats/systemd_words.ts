import { isUtf8, toBytes } from "../core/bytes";
import type { Word } from "./shell_words";

/**
 * What backslashes do: escape as in C, and stay where they don't ("command", for ExecStart=), the same but as an error
 * ("strict", for Environment=), or stand for the next character ("value", for a variable that is split).
 */
type Escapes = "command" | "strict" | "value";

/** The words of a text up to one that can't be read. */
export interface SystemdWords {
  readonly words: readonly Word[];
  readonly complete: boolean;
}

/**
 * Splits a text at white space as extract_first_word() of systemd does (src/basic/extract-word.c); quotes and backslashes are
 * resolved in each word's value. A quote that is not closed is an error, but in a variable's value it ends with the text.
 */
export function systemdWords(text: string, escapes: Escapes): SystemdWords {
  const words: Word[] = [];
  const at =
    /[ \t\n\r]*((?:"(?:\\[\s\S]|[^"\\])*(?:"|(\\?)$)|'(?:\\[\s\S]|[^'\\])*(?:'|(\\?)$)|\\[\s\S]?|[^ \t\n\r"'\\])+)/y;
  for (let match = at.exec(text); match; match = at.exec(text)) {
    const [, raw = "", ...open] = match;
    const isOpen = open.some((end) => end !== undefined);
    if ((isOpen && escapes !== "value") || (escapes === "strict" && UNKNOWN_ESCAPE.test(raw))) {
      return { words, complete: false };
    }
    words.push({ raw, value: unquote(raw, escapes !== "value") });
  }
  return { words, complete: true };
}

const UNKNOWN_ESCAPE =
  /^(?:[^\\]|\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|[abfnrtv\\"'s]))*\\(?!x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|[abfnrtv\\"'s])/;

/**
 * An argument of ExecStart= that stands for this value (one character per byte): neither a specifier, a variable nor an escape is
 * expanded in it. systemd skips a line that is not UTF-8, so other bytes are escaped, as control characters are.
 */
export function execWord(value: string): string {
  if (/^[\w.:=,@+-][\w./:=,@+-]*$/.test(value)) return value;
  const special = isUtf8(value) ? /[^\x20-\x7e\x80-\xff]/g : /[^\x20-\x7e]/g;
  const escaped = value
    .replace(/["\\]/g, "\\$&")
    .replace(/[%$]/g, "$&$&")
    .replace(special, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `"${escaped}"`;
}

/**
 * The program of ExecStart= at this absolute path; null for one that systemd rejects. It expands specifiers in it, but no variable,
 * and takes neither control characters, quotes nor backslashes (config_parse_exec(), string_is_safe()).
 */
export function execProgram(path: string): string | null {
  if (!path.startsWith("/") || path.endsWith("/") || /[^\x20-\x7e\x80-\xff]|["'\\]/.test(path) || !isUtf8(path))
    return null;
  const text = path.replace(/%/g, "%%");
  return /^[\w./-]+$/.test(text) ? text : `"${text}"`;
}

function unquote(raw: string, escapes: boolean): string {
  const inner = (text: string): string => (escapes ? unescapeC(text) : text.replace(/\\([\s\S]?)/g, "$1"));
  return raw.replace(
    /"((?:\\[\s\S]|[^"\\])*)\\?"?|'((?:\\[\s\S]|[^'\\])*)\\?'?|((?:\\[\s\S]?|[^"'\\])+)/g,
    (_, double?: string, single?: string, bare?: string) => inner(double ?? single ?? bare ?? ""),
  );
}

const LETTERS: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
  s: " ",
};

/** An escape that is none of systemd's is kept as it is written. */
function unescapeC(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]))/g,
    (all, hex?: string, short?: string, long?: string, octal?: string, letter?: string) => {
      const byte = hex !== undefined ? Number.parseInt(hex, 16) : Number.parseInt(octal ?? "", 8);
      if (byte > 0) return String.fromCharCode(byte);
      const code = Number.parseInt(short ?? long ?? "", 16);
      // A text has one character per byte.
      if (code > 0 && code <= 0x10ffff) return toBytes(String.fromCodePoint(code));
      return (letter !== undefined ? LETTERS[letter] : undefined) ?? all;
    },
  );
}
