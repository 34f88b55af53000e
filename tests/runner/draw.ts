import { type Durations, secondsOf } from "./durations";
import { shuffleBy } from "./sample";

/** What `npm test` always runs, by how the paths begin; of the other files it draws some. */
const ALWAYS = [
  "tests/unit/",
  "tests/built/",
  "tests/browser/",
  "tests/e2e/suite_",
  "tests/e2e/provisioning.",
  "tests/e2e/verify.",
];

/** What the drawn files may take together: a third of it where three run side by side. */
const DRAWN_SECONDS = 600;

/** What a run of `npm test` consists of, and the rest. */
export interface Draw<File> {
  readonly run: File[];
  readonly left: File[];
}

/**
 * Draws test files by the seed until those outside ALWAYS take DRAWN_SECONDS together by their last durations. A file
 * that would exceed this is left out, and shorter ones after it are still taken.
 */
export function drawFiles<File extends { readonly path: string }>(
  files: readonly File[],
  durations: Durations,
  seed: number,
): Draw<File> {
  const isAlways = ({ path }: File): boolean => ALWAYS.some((beginning) => path.startsWith(beginning));
  const others = files.filter((file) => !isAlways(file));
  const drawn = new Set<File>();
  let seconds = 0;
  for (const file of shuffleBy(seed, others)) {
    const total = seconds + secondsOf(file, durations);
    if (total > DRAWN_SECONDS) continue;
    seconds = total;
    drawn.add(file);
  }
  const runs = (file: File): boolean => isAlways(file) || drawn.has(file);
  return { run: files.filter(runs), left: files.filter((file) => !runs(file)) };
}
