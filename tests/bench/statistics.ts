import type { Samples } from "./part";

/** The median. Throws if there are no values. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new Error("there is no median of nothing");
  return (low + high) / 2;
}

/** The values of one figure. Throws if it was not measured. */
export function valuesOf(samples: Samples, name: string): readonly number[] {
  const values = samples[name];
  if (values === undefined) throw new Error(`"${name}" was not measured`);
  return values;
}

/** The median of the pairwise ratios of two figures that were measured in turn: a machine's bad minute affects both. */
export function ratio(samples: Samples, name: string, toName: string): number {
  const [values, others] = [valuesOf(samples, name), valuesOf(samples, toName)];
  if (values.length !== others.length) throw new Error(`"${name}" and "${toName}" were not measured in turn`);
  return median(values.map((value, index) => value / (others[index] ?? Number.NaN)));
}

/**
 * Measures several figures in turn, round after round, so that a machine's bad minute affects all of them. The first round
 * is not counted. Each function makes one measurement.
 */
export async function interleaved(
  measurements: Readonly<Record<string, () => Promise<number>>>,
  rounds: number,
): Promise<Samples> {
  const samples = new Map<string, number[]>(Object.keys(measurements).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, measure] of Object.entries(measurements)) {
      const value = await measure();
      if (round > 0) samples.get(name)?.push(value);
    }
  }
  return Object.fromEntries(samples);
}
