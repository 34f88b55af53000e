import * as fc from "fast-check";

/** The same cases in every run; another seed tries others: `FAST_CHECK_SEED=7 npm run test:unit`. */
const SEED = Number(process.env["FAST_CHECK_SEED"] ?? 20150601);

/** Holds `check` against `runs` random inputs; a failure is shown with its seed and the smallest input that fails. */
export function forAll<Inputs extends [unknown, ...unknown[]]>(
  inputs: { [Index in keyof Inputs]: fc.Arbitrary<Inputs[Index]> },
  check: (...values: Inputs) => void,
  runs = 200,
): void {
  console.log(`${runs} cases of seed ${SEED}`);
  const outcome = fc.check(fc.property(...inputs, check), { seed: SEED, numRuns: runs });
  if (outcome instanceof Promise) throw new Error("a property must be checked at once");
  if (outcome.failed) throw new Error(fc.defaultReportMessage(outcome));
}
