/** Sleeps so many milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

export interface Wait {
  /** What is waited for, as the end of "waited 10 s for …". */
  what: string;
  seconds: number;
  /** Whether it has come. What it throws ends the wait at once. */
  probe: () => boolean | Promise<boolean>;
  /** What the error shows when it has not come: the last lines of a log, say. */
  evidence?: () => string | Promise<string>;
  everyMilliseconds?: number;
}

/** Returns as soon as the probe says so; throws after the given time, saying what was waited for and the evidence. */
export async function waitFor({ what, seconds, probe, evidence, everyMilliseconds = 50 }: Wait): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await probe())) {
    if (Date.now() >= end) {
      const seen = evidence ? await evidence() : "";
      throw new Error(`waited ${seconds} s for ${what}, in vain${seen && `:\n${seen}`}`);
    }
    await sleep(everyMilliseconds);
  }
}
