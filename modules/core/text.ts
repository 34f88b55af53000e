/** The two parts of `NAME=value`; a text without "=" is a name with an empty value. */
export function splitAtEquals(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** The number of the line at this position of a text, from 1. */
export function lineOf(text: string, position: number): number {
  return text.slice(0, position).split("\n").length;
}

/** A text with the mark in place of its middle if it is longer than `max` characters. The mark is not counted. */
export function cutMiddle(text: string, max: number, mark = "…"): string {
  const end = max / 2;
  return text.length <= max ? text : `${text.slice(0, end)} ${mark} ${text.slice(-end)}`;
}

/**
 * The position in a text at which JSON.parse() has found an error; null if its message does not say. Only that is taken from the
 * message, as it may quote the text.
 */
export function jsonErrorPosition(error: unknown): number | null {
  const position = / at position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? null : Number(position);
}
