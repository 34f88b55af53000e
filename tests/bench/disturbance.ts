import type { Pings } from "../e2e/pings";
import { running } from "../e2e/running";
import type { Host } from "../hosts/host";

/** What a change does to pings and running processes. All but the first should be 0. */
export const FIGURES = [
  "pings answered",
  "pings lost",
  "pings answered twice",
  "restarts of Docker",
  "restarts of the router",
  "restarts of containers",
] as const;

export type Disturbance = Readonly<Record<(typeof FIGURES)[number], number>>;

/** Runs a change during pings; returns its effect on them, and what it restarted on these hosts. */
export async function disturbance(
  hosts: readonly Host[],
  startPings: () => Promise<Pings[]>,
  doing: () => Promise<void>,
): Promise<Disturbance> {
  const before = await runningOn(hosts);
  const pings = await startPings();
  await doing();
  const answers = await Promise.all(pings.map((ping) => ping.end()));
  const after = new Set(await runningOn(hosts));
  const anew = before.filter((line) => !after.has(line));
  const count = (ofKind: RegExp): number => anew.filter((line) => ofKind.test(line)).length;
  const sum = (of: (answer: (typeof answers)[number]) => number): number =>
    answers.reduce((total, answer) => total + of(answer), 0);
  return {
    "pings answered": sum(({ answered }) => answered),
    "pings lost": sum(({ lost }) => lost.length),
    "pings answered twice": sum(({ doubled }) => doubled.length),
    "restarts of Docker": count(/ MainPID=/),
    "restarts of the router": count(/ \/weave /),
    "restarts of containers": count(/ \/(?!weave )/),
  };
}

/** What runs on the hosts, each line with its host's name. */
async function runningOn(hosts: readonly Host[]): Promise<string[]> {
  const texts = await Promise.all(hosts.map(running));
  return texts.flatMap((text, index) => text.split("\n").map((line) => `${hosts[index]?.name} ${line}`));
}
