import fc from "fast-check";

/** What tests choose their samples by; tests/run.ts prints it, and TEST_SEED repeats them. */
export const SEED = Number(process.env["TEST_SEED"] ?? Date.now() % 1_000_000);

/** Whether tests try all of their cases, as `npm run test:all` does. */
export const ALL = process.env["TEST_ALL"] !== undefined;

/** Up to `count` of these in their order, chosen by the seed; all of them where tests try all. */
export function sample<T>(cases: readonly T[], count: number): T[] {
  return ALL ? [...cases] : sampleBy(SEED, cases, count);
}

/** Up to `count` of these in their order, chosen by the given seed. */
export function sampleBy<T>(seed: number, cases: readonly T[], count: number): T[] {
  const indexes = shuffledIndexes(seed, cases, Math.min(count, cases.length));
  return indexes.sort((a, b) => a - b).flatMap((index) => cases.slice(index, index + 1));
}

/** All of these, in an order chosen by the given seed. */
export function shuffleBy<T>(seed: number, cases: readonly T[]): T[] {
  return shuffledIndexes(seed, cases, cases.length).flatMap((index) => cases.slice(index, index + 1));
}

function shuffledIndexes(seed: number, cases: readonly unknown[], size: number): number[] {
  const choice = fc.shuffledSubarray([...cases.keys()], { minLength: size, maxLength: size });
  const [indexes = []] = fc.sample(choice, { seed, numRuns: 1 });
  return [...indexes];
}
