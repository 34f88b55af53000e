import * as fc from "fast-check";

/** Every run tries the same cases, unless given another seed: `FAST_CHECK_SEED=7 npm run test:unit`. */
const SEED = Number(process.env["FAST_CHECK_SEED"] ?? 20150601);

/** A factor for the number of cases: `FAST_CHECK_TIMES=50 npm run test:unit`. */
const TIMES = Number(process.env["FAST_CHECK_TIMES"] ?? 1);

/** Runs `check` with random inputs. A failure is reported with its seed and the smallest input that fails. */
export function forAll<Inputs extends [unknown, ...unknown[]]>(
  inputs: { [Index in keyof Inputs]: fc.Arbitrary<Inputs[Index]> },
  check: (...values: Inputs) => void,
  runs = 200,
): void {
  const outcome = fc.check(fc.property(...inputs, check), parameters(runs));
  if (outcome instanceof Promise) throw new Error("a property must be checked at once");
  if (outcome.failed) throw failure(outcome);
}

/** The same for an asynchronous check. */
export async function forAllLater<Inputs extends [unknown, ...unknown[]]>(
  inputs: { [Index in keyof Inputs]: fc.Arbitrary<Inputs[Index]> },
  check: (...values: Inputs) => Promise<void>,
  runs = 200,
): Promise<void> {
  const outcome = await fc.check(fc.asyncProperty(...inputs, check), parameters(runs));
  if (outcome.failed) throw failure(outcome);
}

function failure<Value>(outcome: fc.RunDetails<Value>): Error {
  const { message = "", details = "" } = (outcome.errorInstance ?? {}) as { message?: string; details?: string };
  return new Error(`${fc.defaultReportMessage(outcome)}\n${message}\n${details}`);
}

function parameters(runs: number): { seed: number; numRuns: number } {
  console.log(`${runs * TIMES} cases of seed ${SEED}`);
  return { seed: SEED, numRuns: runs * TIMES };
}
