import * as fc from "fast-check";

/** Files as they are found on hosts that people have worked on. */

/** Bytes that no format expects: quotes, backslashes, NUL, carriage returns, Latin-1, halves of UTF-8. */
const oddLine = fc.string({
  unit: fc.constantFrom(...`ab =-#;"'\\$\`(){}[]:,/%\t\r\0\xe9\xfc\xff\xc3\xa4`),
  maxLength: 12,
});
const comment = fc.constantFrom("# Br\xfccke", "#", ";", "# a \\", "  # eth0: don't touch!", "\t", "", "");

/** A text of these lines and others between them, with either end of a line, and with or without one at its end. */
export function text(lines: readonly string[]): fc.Arbitrary<string> {
  const line = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...lines) },
    { weight: 2, arbitrary: comment },
    { weight: 1, arbitrary: oddLine },
  );
  return fc
    .tuple(fc.array(line, { maxLength: 6 }), fc.constantFrom("\n", "\n", "\r\n"), fc.boolean())
    .map(([all, newline, ends]) => all.join(newline) + (ends && all.length > 0 ? newline : ""));
}

/** How a file stands on the disk: plain, or by a link to it, or a link to what is not there. */
export interface Found {
  readonly content: string;
  readonly mode: number;
  readonly by: "itself" | "a link" | "a dangling link";
}

export function found(content: fc.Arbitrary<string>): fc.Arbitrary<Found | null> {
  return fc.option(
    fc.record({
      content,
      mode: fc.constantFrom(0o644, 0o644, 0o600, 0o640, 0o666, 0o755, 0o444),
      by: fc.constantFrom<Found["by"]>("itself", "itself", "itself", "a link", "a dangling link"),
    }),
    { nil: null },
  );
}

/** Where files are that a link leads to. */
export const ELSEWHERE = "/elsewhere";

/** Puts such a file there. */
export function putFound(
  host: { put(path: string, content: string, mode: number): void; putLink(path: string, target: string): void },
  path: string,
  file: Found | null,
): void {
  if (file === null) return;
  const elsewhere = `${ELSEWHERE}${path}`;
  if (file.by !== "itself") host.putLink(path, elsewhere);
  if (file.by !== "a dangling link") host.put(file.by === "itself" ? path : elsewhere, file.content, file.mode);
}
