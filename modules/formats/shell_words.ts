/** A word of a command line, as it is written and without its quotes. */
export interface Word {
  readonly raw: string;
  readonly value: string;
}

/**
 * Splits a line of options at white space as both systemd and a shell do, with quotes and backslashes. An unclosed quote ends
 * with the line.
 */
export function splitWords(text: string): Word[] {
  return [...text.matchAll(/(?:"(?:\\[\s\S]|[^"\\])*"?|'[^']*'?|\\[\s\S]?|[^\s"'\\])+/g)].map(([raw]) => ({
    raw,
    value: unquote(raw),
  }));
}

function unquote(raw: string): string {
  return raw.replace(
    /"((?:\\[\s\S]|[^"\\])*)"?|'([^']*)'?|\\([\s\S]?)/g,
    (_, double?: string, single?: string, bare?: string) =>
      double === undefined ? (single ?? bare ?? "") : double.replace(/\\(["\\$`])/g, "$1"),
  );
}
