/**
 * How tests make the router's stand-in misbehave, and which version it plays.
 *
 * By `behaviour.json` beside router.js, which is read for every request, or by the environment, which takes precedence
 * (the script `weave` passes it into the container):
 *
 * | key in behaviour.json   | environment                     | effect                                               |
 * | ----------------------- | ------------------------------- | ---------------------------------------------------- |
 * | answerDelayMilliseconds | WEAVE_STAND_IN_ANSWER_DELAY_MS  | delay of every HTTP answer                           |
 * | startDelayMilliseconds  | WEAVE_STAND_IN_START_DELAY_MS   | time from the start until it listens                 |
 * | readyDelayMilliseconds  | WEAVE_STAND_IN_READY_DELAY_MS   | time that /status is 503 once it listens             |
 * | failOnLaunch            | WEAVE_STAND_IN_FAIL_ON_LAUNCH   | logs this text and exits 1 instead of starting       |
 * | version                 | WEAVE_STAND_IN_VERSION          | the version (1.0.x: HTTP on all addresses, no        |
 * |                         |                                 | /report; 1.2 to 1.9 and 2.x: as in the 2.8 sources)  |
 * | retryMilliseconds       | WEAVE_STAND_IN_RETRY_MS         | first interval between attempts; the router's: 2000  |
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { isRecord } from "./text";

/** How tests make it misbehave; see the table at the top. */
export interface Behaviour {
  answerDelayMilliseconds: number;
  startDelayMilliseconds: number;
  readyDelayMilliseconds: number;
  retryMilliseconds: number;
  failOnLaunch: string | undefined;
  version: string | undefined;
}

/** Whether `version` is before the release `major`.`minor`. */
export function isBefore(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split(".").map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

/** Whether `version` has the whole HTTP API and a status address (2.x), only the API (1.2 to 1.9), or neither. */
export function versionFamily(version: string): "1.0" | "1.9" | "2.x" {
  if (!isBefore(version, 2, 0)) return "2.x";
  return isBefore(version, 1, 2) ? "1.0" : "1.9";
}

/** Reads behaviour.json in `directory` and `environment`; anything unreadable counts as absent. */
export function readBehaviour(directory: string, environment: NodeJS.ProcessEnv): Behaviour {
  let file: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(fs.readFileSync(path.join(directory, "behaviour.json"), "utf8"));
    if (isRecord(parsed)) file = parsed;
  } catch {
    // No file, or it is being written.
  }
  const text = (key: string, variable: string): string | undefined => {
    const fromEnvironment = environment[variable];
    if (fromEnvironment !== undefined && fromEnvironment !== "") return fromEnvironment;
    const value = file[key];
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  };
  const milliseconds = (key: string, variable: string, fallback: number): number => {
    const value = Number(text(key, variable) ?? fallback);
    return Number.isFinite(value) && value >= 0 ? value : fallback;
  };
  return {
    answerDelayMilliseconds: milliseconds("answerDelayMilliseconds", "WEAVE_STAND_IN_ANSWER_DELAY_MS", 0),
    startDelayMilliseconds: milliseconds("startDelayMilliseconds", "WEAVE_STAND_IN_START_DELAY_MS", 0),
    readyDelayMilliseconds: milliseconds("readyDelayMilliseconds", "WEAVE_STAND_IN_READY_DELAY_MS", 0),
    retryMilliseconds: milliseconds("retryMilliseconds", "WEAVE_STAND_IN_RETRY_MS", 2000),
    failOnLaunch: text("failOnLaunch", "WEAVE_STAND_IN_FAIL_ON_LAUNCH"),
    version: text("version", "WEAVE_STAND_IN_VERSION"),
  };
}
