import type { WriteStream } from "node:tty";

/** Takes a style and a text; returns the text in it. */
export type Paint = (style: Style, text: string) => string;

export type Style = keyof typeof CODES;

/** ECMA-48's codes: on, off. */
const CODES = { bold: [1, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], dim: [2, 22] } as const;

export const plain: Paint = (_, text) => text;

/** Colours on a terminal that has them, unless NO_COLOR (no-color.org), which Node heeds; else none. */
export function paintFor(stream: Pick<WriteStream, "isTTY" | "hasColors">): Paint {
  if (!stream.isTTY || !stream.hasColors()) return plain;
  return (style, text) => `\x1b[${CODES[style][0]}m${text}\x1b[${CODES[style][1]}m`;
}
