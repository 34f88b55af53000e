import type { Outcome } from "./trial";

/**
 * A row of the table in docs/reliability.md: what was done, how many faults, of which by system calls and by programs; how
 * many left the host as it was; how many runs failed and said so, succeeded all the same, were killed; unfinished files
 * left behind; the most starts of Docker; how many went wrong.
 */
export type Row = readonly string[];

export function rowOfOutcomes(name: string, known: number, outcomes: readonly Outcome[]): Row {
  const count = (is: (outcome: Outcome) => boolean): number => outcomes.filter(is).length;
  return [
    name,
    share(outcomes.length, known),
    ...[
      count(({ fault }) => fault.kind === "call"),
      count(({ fault }) => fault.kind !== "call"),
      count(({ untouched }) => untouched),
      count(({ run }) => run === "failed"),
      count(({ run }) => run === "succeeded"),
      count(({ run }) => run === "killed"),
      count(({ unfinished }) => unfinished > 0),
      Math.max(0, ...outcomes.map(({ dockerStarts }) => dockerStarts)),
      count(({ wrong }) => wrong.length > 0),
    ].map(String),
  ];
}

/** A row of what is wrong after each of some faults of another kind. */
export function rowOf(name: string, known: number, wrong: readonly (readonly string[])[]): Row {
  const count = wrong.filter((each) => each.length > 0).length;
  return [name, share(wrong.length, known), ...Array.from({ length: 8 }, () => ""), String(count)];
}

function share(tried: number, known: number): string {
  return tried === known ? String(known) : `${tried} of ${known}`;
}

/** Takes a page with the table; returns it with these rows in the place of those of the same names, or at the table's end. */
export function withRows(page: string, rows: readonly Row[]): string {
  return rows.reduce((text, row) => {
    const line = `| ${row.join(" | ")} |`;
    const lines = text.split("\n");
    const at = lines.findIndex((each) => each.startsWith(`| ${row[0]} |`));
    if (at >= 0) return lines.map((each, index) => (index === at ? line : each)).join("\n");
    const head = lines.findIndex((each) => each.startsWith("| scenario |"));
    const end = lines.findIndex((each, index) => index > head && !each.startsWith("|"));
    return [...lines.slice(0, end), line, ...lines.slice(end)].join("\n");
  }, page);
}
