import type { Host } from "../hosts/host";
import { commandsToFinish, sections } from "./calls";
import { arming, programFaults, STARTED, watched } from "./programs";
import { PLAY, UNTOUCHED } from "./scenarios";
import { difference, PROBE_STATE, readState, type State } from "./state";
import { hasFailed } from "./trial";

const WHOLE_PLAY = commandsToFinish(...PLAY);

/** Where a play can be cut off, and what it leaves on a host that is switched off and on after it. */
export interface WholePlay {
  readonly expected: State;
  /** The number of each program that is started, and its command line. */
  readonly moments: readonly { readonly at: number; readonly program: string }[];
}

export async function recordPlay(host: Host): Promise<WholePlay> {
  await sections(host, [UNTOUCHED, arming(0, "nothing")]);
  const { stdout } = await host.exec(watched(["sh", "-c", WHOLE_PLAY]), { check: false, timeoutSeconds: 180 });
  const [programs = ""] = await sections(host, [STARTED]);
  const all = programs
    .trim()
    .split("\n")
    .map((program, index) => ({ at: index + 1, program }));
  const moments = all.filter(({ program }) => programFaults(program).length > 0);
  if (hasFailed(stdout)) throw new Error(`a play without a fault: ${stdout}`);
  return { expected: await afterBoot(host), moments };
}

/** Kills the host as a program is started, boots it, and plays again; returns what differs from a play without that. */
export async function powerCutAt(host: Host, { expected }: WholePlay, at: number): Promise<string[]> {
  await sections(host, [UNTOUCHED, arming(at, "killed-with-module")]);
  await host.exec(watched(["sh", "-c", WHOLE_PLAY]), { check: false, timeoutSeconds: 180 });
  return difference(expected, await afterBoot(host));
}

async function afterBoot(host: Host): Promise<State> {
  await host.kill();
  await host.boot();
  // Docker that has once run without our options leaves its own bridge behind.
  const [played = "", , found = ""] = await sections(host, [WHOLE_PLAY, "ip link del docker0", PROBE_STATE]);
  if (hasFailed(played)) throw new Error(`the play after the boot fails: ${played}`);
  return readState(found);
}
