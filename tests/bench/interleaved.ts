import type { Samples } from "./part";

/**
 * Measures some figures in turn, round after round, so that a machine's bad minute is in all of them; the first round warms
 * up and is not counted. Takes functions that make one measurement each, by name.
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
