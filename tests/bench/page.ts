import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../e2e/playbook";
import type { Part, Samples } from "./part";

/** What docs/performance/PART.json keeps of a part: when and on what it was measured, and every single value. */
export interface Raw {
  /** The day, such as 2026-11-26. */
  readonly measured: string;
  /** Such as "2 cores of …, Linux 6.1, ansible-core 2.14.18". */
  readonly machine: string;
  readonly samples: Samples;
}

export const FOLDER = "docs/performance";
export const PAGE = "docs/performance.md";

const HEAD = `# Performance

Written by \`npm run bench\` (on a machine with nothing else to do, with words only the parts of those names), from the raw
numbers that it keeps in [performance/](performance). Machines differ and have bad minutes: what is compared is measured in
turn, round after round, and what counts is the median of the ratios; a single time in seconds is only good for an idea. Where it
is otherwise, as with runs that take minutes, the section says so; below each stands when and on what it was last measured.
`;

/** The files that the raw numbers of these parts make, by path below the project: the page, and the plots in it. */
export function render(parts: readonly Part[], rawOf: (part: Part) => Raw | null): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const sections = parts.flatMap((part) => {
    const raw = rawOf(part);
    if (raw === null) return [];
    for (const [name, svg] of Object.entries(part.plots(raw.samples))) files.set(`${FOLDER}/${name}.svg`, svg);
    return [`${part.section(raw.samples).trim()}\n\n<sub>${raw.measured}, ${raw.machine}.</sub>\n`];
  });
  return files.set(PAGE, [HEAD, ...sections].join("\n"));
}

/** What was last measured of a part, or null where it never was. */
export function readRaw({ name }: Part): Raw | null {
  const path = rawPath(name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Raw) : null;
}

/** Keeps what was measured, one figure a line. */
export function keepRaw({ name }: Part, raw: Raw): void {
  mkdirSync(join(ROOT, FOLDER), { recursive: true });
  const samples = Object.entries(raw.samples).map(
    ([figure, values]) =>
      `    ${JSON.stringify(figure)}: ${JSON.stringify(values.map((value) => Number(value.toPrecision(5))))}`,
  );
  const head = `  "measured": ${JSON.stringify(raw.measured)},\n  "machine": ${JSON.stringify(raw.machine)}`;
  writeFileSync(rawPath(name), `{\n${head},\n  "samples": {\n${samples.join(",\n")}\n  }\n}\n`);
}

function rawPath(name: string): string {
  return join(ROOT, FOLDER, `${name}.json`);
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
