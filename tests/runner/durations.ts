import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** How many seconds a test file took, by its path from the project's directory. */
export type Durations = Readonly<Record<string, number>>;

/** What a file without a record counts as. */
const UNKNOWN_SECONDS = 10;
/** Shorter files stay out of the checked-in record: their order decides nothing. */
const SHORTEST_SECONDS = 2;

/** For a fresh clone. */
const CHECKED_IN = join(__dirname, "../durations.json");
/** Of the last runs of this checkout. */
const LAST_RUN = join(__dirname, "../../node_modules/.cache/test-durations.json");

/** Sorts test files by how long they took the last time, the longest first. */
export function longestFirst<File extends { readonly path: string }>(
  files: readonly File[],
  durations: Durations,
): File[] {
  return [...files].sort((one, other) => secondsOf(other, durations) - secondsOf(one, durations));
}

/** How long a file took the last time, or what counts as that where it has no record. */
export function secondsOf({ path }: { readonly path: string }, durations: Durations): number {
  return durations[path] ?? UNKNOWN_SECONDS;
}

/** The durations of the last runs here, and those of the checked-in record for files that have not run here. */
export function readDurations(): Durations {
  return { ...read(CHECKED_IN), ...read(LAST_RUN) };
}

/** Writes how long files took: to the checked-in record, which it replaces, or for this checkout. */
export function writeDurations(durations: Durations, where: "checked-in" | "here"): void {
  const rounded = Object.entries(durations)
    // Other files than the project's own are the runner's tests.
    .flatMap(([file, seconds]) => (file.startsWith("tests/") ? [[file, Math.round(seconds)] as const] : []))
    .filter(([, seconds]) => where === "here" || seconds >= SHORTEST_SECONDS)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (where === "checked-in") write(CHECKED_IN, Object.fromEntries(rounded));
  else if (rounded.length > 0) write(LAST_RUN, { ...read(LAST_RUN), ...Object.fromEntries(rounded) });
}

function read(path: string): Durations {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Durations;
  } catch {
    return {};
  }
}

function write(path: string, durations: Durations): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(durations, null, 2)}\n`);
}
