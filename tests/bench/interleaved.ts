import type { Samples } from "./part";

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
