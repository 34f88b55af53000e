import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../e2e/playbook";
import { type Aim, type Part, type Samples, verdict } from "./part";

/** The content of docs/performance/PART.json. */
export interface Raw {
  /** The date, such as 2026-11-26. */
  readonly measured: string;
  /** Such as "2 cores of …, Linux 6.1, ansible-core 2.14.18". */
  readonly machine: string;
  readonly samples: Samples;
}

export const DIRECTORY = "docs/performance";
export const PAGE = "docs/performance.md";

const HEAD = `\`npm run bench\` writes this page from the raw numbers in [performance/](performance). Run it on an idle machine; with names as
arguments it measures only those parts. Machines differ, and every machine is slower at times. So things that are compared are measured
in turn, round after round, and the median of the ratios is what matters; a time in seconds only shows the magnitude. A section says
so if it was measured in another way. Each section ends with the date and the machine. Missed targets are listed at the end of the
page.
`;

const MISSED = "## Missed targets\n";

/** The page and its plots, by path below the project, rendered from the raw numbers of these parts. */
export function render(parts: readonly Part[], rawOf: (part: Part) => Raw | null): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const headlines: string[] = [];
  const aims: Aim[] = [];
  const sections = parts.flatMap((part) => {
    const raw = rawOf(part);
    if (raw === null) return [];
    for (const [name, svg] of Object.entries(part.plots(raw.samples))) files.set(`${DIRECTORY}/${name}.svg`, svg);
    if (part.headline !== undefined) headlines.push(`- ${part.headline(raw.samples)}\n`);
    aims.push(...(part.aims?.(raw.samples) ?? []));
    return [`${part.section(raw.samples).trim()}\n\n<sub>${raw.measured}, ${raw.machine}.</sub>\n`];
  });
  const page = ["# Performance\n", headlines.join(""), HEAD, ...sections, MISSED, `${verdict(aims)}\n`].join("\n");
  return files.set(PAGE, wrapLines(page));
}

const WIDTH = 120;

/** Wraps the paragraphs and list items of Markdown; everything else keeps its lines. */
export function wrapLines(markdown: string): string {
  const isText = (line: string): boolean => /^( {2})?[^\s#|!<]/.test(line);
  const blocks: string[] = [];
  for (const line of markdown.split("\n")) {
    const before = blocks.at(-1) ?? "";
    const continues = isText(before) && isText(line) && !line.startsWith("- ");
    if (continues) blocks[blocks.length - 1] = `${before} ${line.trim()}`;
    else blocks.push(line);
  }
  return blocks.flatMap((block) => (isText(block) ? wrap(block) : [block])).join("\n");
}

function wrap(paragraph: string): string[] {
  const indent = paragraph.startsWith("- ") ? "  " : "";
  const lines: string[] = [];
  for (const word of paragraph.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined) lines.push(word);
    else if (last.length + 1 + word.length > WIDTH) lines.push(indent + word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** The last measurement of a part, or null if there is none. */
export function readRaw({ name }: Part): Raw | null {
  const path = rawPath(name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Raw) : null;
}

/** Writes a measurement, one figure per line. */
export function writeRaw({ name }: Part, raw: Raw): void {
  mkdirSync(join(ROOT, DIRECTORY), { recursive: true });
  const samples = Object.entries(raw.samples).map(
    ([figure, values]) =>
      `    ${JSON.stringify(figure)}: ${JSON.stringify(values.map((value) => Number(value.toPrecision(5))))}`,
  );
  const head = `  "measured": ${JSON.stringify(raw.measured)},\n  "machine": ${JSON.stringify(raw.machine)}`;
  writeFileSync(rawPath(name), `{\n${head},\n  "samples": {\n${samples.join(",\n")}\n  }\n}\n`);
}

function rawPath(name: string): string {
  return join(ROOT, DIRECTORY, `${name}.json`);
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
