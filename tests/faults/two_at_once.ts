import type { Host } from "../hosts/host";
import { command, sections } from "./calls";
import type { Scenario } from "./scenarios";
import { difference, PROBE_STATE, readState } from "./state";
import { hasFailed } from "./trial";

/**
 * Runs two calls at once, the second so many seconds after the first; the host has to be as either of them by itself makes it after
 * the other, and neither may fail but for the other's being at it. Returns what is wrong.
 */
export async function race(host: Host, first: Scenario, second: Scenario, seconds: number): Promise<string[]> {
  const [one, two] = [first, second].map(({ call }) => command(call).join(" "));
  const [, , afterSecond = "", , afterFirst = ""] = await sections(host, [
    first.start,
    `${one}; ${two}`,
    PROBE_STATE,
    one ?? "",
    PROBE_STATE,
  ]);
  const [, results = "", found = ""] = await sections(host, [
    first.start,
    `${one} & sleep ${seconds}; ${two} & wait`,
    PROBE_STATE,
  ]);
  const state = readState(found);
  const ends = [afterFirst, afterSecond].map((text) => difference(readState(text), state));
  const mixture = ends.some(({ length }) => length === 0) ? [] : ["a mixture:", ...ends.flat()];
  const failed = hasFailed(results) && !results.includes("must not be held by another run") ? [results] : [];
  return [...mixture, ...failed];
}
