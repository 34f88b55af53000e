import { toBytes } from "./bytes";

/** The secrets of this run: options, and what was found on the host. */
const SECRETS = new Set<string>();

/** Has hideRememberedSecrets() hide a text from now on. Empty texts are ignored. */
export function rememberSecret(secret: string): void {
  if (secret !== "") SECRETS.add(secret);
}

/**
 * A message or a program's output without the remembered secrets, however they are quoted or escaped. What is secret by its name is
 * for redactSecrets().
 */
export function hideRememberedSecrets(text: string): string {
  const ranges =
    SECRETS.size === 0
      ? []
      : decodedTexts(text).flatMap((reading) => [...SECRETS].flatMap((secret) => find(secret, reading, text)));
  let shown = "";
  let end = 0;
  for (const [from, to] of ranges.sort(([a], [b]) => a - b)) {
    if (from >= end) shown += `${text.slice(end, from)}${REDACTED}`;
    end = Math.max(end, to);
  }
  return shown + text.slice(end);
}

export const REDACTED = "********";

type Range = readonly [from: number, to: number];

/** A text with something in it decoded, and where each of its characters begins and ends in the text as it was. */
interface DecodedText {
  readonly text: string;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Whether quotes and backslashes are left out. */
  readonly unquoted: boolean;
}

/** The text itself, and decoded in each way, some in another: JSON may contain what was quoted for a shell. */
function decodedTexts(text: string): DecodedText[] {
  const from = Int32Array.from({ length: text.length }, (_, index) => index);
  const plain = { text, from, to: from.map((index) => index + 1), unquoted: false };
  const once = decode(plain, BACKSLASHES);
  const twice = decode(once, BACKSLASHES);
  const quoted = [once, twice].map((reading) => ({ ...decode(reading, QUOTES), unquoted: true }));
  const url = [plain, once].flatMap((reading) => [decode(reading, PERCENTS), decode(reading, FORM)]);
  return [plain, once, twice, ...quoted, ...url, decode(plain, DOUBLED), decode(plain, ENTITIES)];
}

interface Decoding {
  readonly pattern: RegExp;
  readonly character: (match: string) => string;
}

/** \xHH, \ooo, \uHHHH and \c, as in shells, Go, JSON and systemd. */
const BACKSLASHES: Decoding = {
  pattern: /\\(?:x[0-9a-f]{1,2}|u[0-9a-f]{4}|u\{[0-9a-f]{1,6}\}|U[0-9a-f]{8}|[0-7]{1,3}|[\s\S])/gi,
  character: (match) => {
    const [, hex] = /^\\[xuU]\{?([0-9a-f]+)\}?$/i.exec(match) ?? [];
    if (hex !== undefined) return fromCode(Number.parseInt(hex, 16), match);
    return /^\\[0-7]+$/.test(match) ? fromCode(Number.parseInt(match.slice(1), 8), match) : match.slice(1);
  },
};

/** As in a systemd command line. */
const DOUBLED: Decoding = { pattern: /\$\$|%%/g, character: (match) => match.slice(1) };
const QUOTES: Decoding = { pattern: /["'\\]/g, character: () => "" };
const PERCENTS: Decoding = { pattern: /%[0-9a-f]{2}/gi, character: (match) => fromHex(match.slice(1)) };
const FORM: Decoding = {
  pattern: /%[0-9a-f]{2}|\+/gi,
  character: (match) => (match === "+" ? " " : fromHex(match.slice(1))),
};
const NAMES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const ENTITIES: Decoding = {
  pattern: /&(?:amp|lt|gt|quot|apos|#\d{1,6}|#x[0-9a-f]{1,5});/gi,
  character: (match) => {
    const name = match.slice(1, -1).toLowerCase();
    const code = name.startsWith("#x") ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return NAMES[name] ?? fromCode(code, match);
  },
};

function fromHex(digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 16));
}

function fromCode(code: number, match: string): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : match;
}

function decode({ text, from, to }: DecodedText, { pattern, character }: Decoding): DecodedText {
  // No decoding makes a text longer.
  const decoded = { text: "", from: new Int32Array(text.length), to: new Int32Array(text.length), unquoted: false };
  const add = (characters: string, first: number, last: number): void => {
    for (let index = 0; index < characters.length; index++) {
      // What was decoded comes from the whole match, other characters from themselves.
      const same = characters.length === last - first;
      decoded.from[decoded.text.length + index] = from[same ? first + index : first] ?? 0;
      decoded.to[decoded.text.length + index] = to[same ? first + index : last - 1] ?? 0;
    }
    decoded.text += characters;
  };
  let end = 0;
  for (const { 0: match, index = 0 } of text.matchAll(pattern)) {
    add(text.slice(end, index), end, index);
    end = index + match.length;
    add(character(match), index, end);
  }
  add(text.slice(end), end, text.length);
  return decoded;
}

/** Where a secret is in the text as it was. Some programs show each of its UTF-8 bytes as a character. */
function find(secret: string, { text, from, to, unquoted }: DecodedText, original: string): Range[] {
  const bytes = toBytes(secret);
  return [...new Set([secret, bytes])].flatMap((form) => {
    const needle = unquoted ? form.replace(QUOTES.pattern, "") : form;
    const ranges: Range[] = [];
    if (needle === "") return ranges;
    for (let index = text.indexOf(needle); index >= 0; index = text.indexOf(needle, index + needle.length)) {
      const [start = 0, end = 0] = [from[index], to[index + needle.length - 1]];
      // Without quotes, a secret like it's would be found in every "its".
      if (!unquoted || /["'\\]/.test(original.slice(start, end))) ranges.push([start, end]);
    }
    return ranges;
  });
}
