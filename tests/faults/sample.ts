import fc from "fast-check";

/** Up to `count` of these in their order, chosen by the seed. */
export function sample<T>(all: readonly T[], count: number, seed: number): T[] {
  const size = Math.min(count, all.length);
  const choice = fc.shuffledSubarray([...all.keys()], { minLength: size, maxLength: size });
  const [indexes = []] = fc.sample(choice, { seed, numRuns: 1 });
  return [...indexes].sort((a, b) => a - b).flatMap((index) => all.slice(index, index + 1));
}
