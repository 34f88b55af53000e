/** Sleeps so many milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export interface Wait {
  /** What is waited for, as the end of "timed out after 10 s, waiting for …". */
  what: string;
  seconds: number;
  /** Whether it has come. What it throws ends the wait at once. */
  probe: () => boolean | Promise<boolean>;
  /** What the error shows when it has not come: the last lines of a log, say. */
  diagnose?: () => string | Promise<string>;
  everyMilliseconds?: number;
}

/** Returns as soon as the probe says so; throws after the given time, saying what was waited for and what diagnose() returns. */
export async function waitFor({ what, seconds, probe, diagnose, everyMilliseconds = 50 }: Wait): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await probe())) {
    if (Date.now() >= end) {
      const seen = diagnose ? await diagnose() : "";
      throw new Error(`timed out after ${seconds} s, waiting for ${what}${seen && `:\n${seen}`}`);
    }
    await sleep(everyMilliseconds);
  }
}
