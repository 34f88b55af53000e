import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host, Output } from "../hosts/host";
import { command, commandsToFinish, sections } from "./calls";
import { arming, HIT, type ProgramFault, programFaults, STARTED, watched } from "./programs";
import { failingCall, type Scenario } from "./scenarios";
import { difference, filesNeitherOldNorNew, isUnfinished, PROBE_STATE, readState, type State } from "./state";
import {
  type CallFault,
  changingCalls,
  ERRORS,
  injecting,
  injectingStart,
  programStarts,
  recording,
  type SystemCall,
  wasInjected,
} from "./system_calls";

/** One thing that goes wrong, once. */
export type Fault =
  | { readonly kind: "call"; readonly call: SystemCall; readonly what: CallFault }
  | { readonly kind: "program"; readonly at: number; readonly program: string; readonly what: ProgramFault }
  | { readonly kind: "start"; readonly ordinal: number };

export function nameOf(fault: Fault): string {
  switch (fault.kind) {
    case "call":
      return `${fault.what} at ${fault.call.name} of ${fault.call.path} (${fault.call.ordinal})`;
    case "program":
      return `program ${fault.at} ${fault.what}: ${fault.program}`;
    case "start":
      return `program ${fault.ordinal} can't be started`;
  }
}

/** An uninterrupted run from a scenario's start, and all that can go wrong on its way. */
export interface RecordedRun {
  readonly scenario: Scenario;
  readonly before: State;
  readonly expected: State;
  readonly faults: readonly Fault[];
}

/** What came of a fault. */
export interface Outcome {
  readonly fault: Fault;
  /** How the run with the fault ended. */
  readonly run: "failed" | "succeeded" | "killed";
  /** Whether it left the host exactly as it was. */
  readonly untouched: boolean;
  /** How many files it left behind that are not in place. */
  readonly unfinished: number;
  /** How often Docker was started, by the run with the fault and the one after it. */
  readonly dockerStarts: number;
  /** What is wrong; empty where nothing is. */
  readonly wrong: readonly string[];
}

/** Makes an uninterrupted run and records what it does. Throws where that fails. */
export async function recordRun(host: Host, scenario: Scenario): Promise<RecordedRun> {
  const argv = command(failingCall(scenario));
  const [, before = ""] = await sections(host, [scenario.start, PROBE_STATE]);
  const log = logPath(host);
  const traced = await host.exec(argv, { tracer: recording(log), timeoutSeconds: 120, check: false });
  const record = readFileSync(log, "utf8");
  rmSync(log);
  const [rest = "", expected = ""] = await sections(host, [commandsToFinish(scenario), PROBE_STATE]);
  if (hasFailed(traced.stdout + rest)) throw new Error(`${scenario.name}, without a fault: ${traced.stdout}${rest}`);

  await sections(host, [scenario.start, arming(0, "nothing")]);
  await host.exec(watched(argv), { timeoutSeconds: 120 });
  const [programs = ""] = await sections(host, [STARTED]);
  const faults = faultsOf(record, programs.trim().split("\n"), scenario);
  return { scenario, before: readState(before), expected: readState(expected), faults };
}

/** Where a run takes seconds, each system call gets one of the errors, in turn. */
function faultsOf(record: string, programs: readonly string[], { slow }: Scenario): Fault[] {
  const errorsOf = (index: number) => (slow ? ERRORS.slice(index % ERRORS.length).slice(0, 1) : ERRORS);
  return [
    ...changingCalls(record).flatMap((call, index): Fault[] =>
      [...errorsOf(index), "SIGKILL" as const].map((what) => ({ kind: "call", call, what })),
    ),
    ...programs.flatMap((program, index): Fault[] =>
      programFaults(program).map((what) => ({ kind: "program", at: index + 1, program, what })),
    ),
    ...Array.from({ length: programStarts(record) }, (_, index): Fault => ({ kind: "start", ordinal: index + 1 })),
  ];
}

/**
 * Has one thing go wrong, looks, lets an uninterrupted run finish, and looks again. A fault that leaves the host exactly as
 * it was needs none, as that would be the run without any fault; nor does then the next fault need a new start, which
 * `atStart` tells.
 */
export async function runWithFault(
  host: Host,
  recorded: RecordedRun,
  fault: Fault,
  atStart: boolean,
): Promise<Outcome> {
  const { scenario, before, expected } = recorded;
  const arm = fault.kind === "program" ? arming(fault.at, fault.what) : "true";
  await sections(host, [...(atStart ? [] : [scenario.start, ": >/var/lib/faults/docker-starts"]), arm]);
  const { output, hit } = await runWith(host, scenario, fault);
  const run = output.stdout.trim() === "" ? "killed" : hasFailed(output.stdout) ? "failed" : "succeeded";
  const [happened = "", first = ""] = await sections(host, [fault.kind === "program" ? HIT : "true", PROBE_STATE]);
  const after = readState(first);
  // A restart that fails has a way back: to the options from before this scenario, by another restart.
  const wentBack = output.stdout.includes("The previous configuration was restored");
  const wrong = [
    ...(hit || happened !== "" ? [] : [`it did not happen: ${output.stdout}${output.stderr}`]),
    ...(wentBack ? [] : filesNeitherOldNorNew(before, expected, after, run === "killed")),
  ];
  const unfinished = [...after.files.keys()].filter(isUnfinished).length;
  if (run !== "succeeded" && after.dockerStarts === 0 && difference(before, after).length === 0) {
    return { fault, run, unfinished, dockerStarts: 0, untouched: true, wrong };
  }
  const [end = "", second = ""] = await sections(host, [commandsToFinish(scenario), PROBE_STATE]);
  const final = readState(second);
  const failed = hasFailed(end) || end.trim() === "" ? [`the next run fails: ${end.trim()}`] : [];
  // A stopped Docker is no restart: it is started on the way back, for it to run at all.
  const ranBefore = before.live.some((line) => line.startsWith("/usr/sbin/dockerd "));
  const most = wentBack && !ranBefore ? 2 : 1;
  const often = final.dockerStarts > most ? [`Docker was started ${final.dockerStarts} times`] : [];
  return {
    fault,
    run,
    unfinished,
    dockerStarts: final.dockerStarts,
    untouched: false,
    wrong: [...wrong, ...failed, ...often, ...difference(expected, final)],
  };
}

async function runWith(host: Host, scenario: Scenario, fault: Fault): Promise<{ output: Output; hit: boolean }> {
  const argv = command(failingCall(scenario));
  // The module's own limits end it long before, but on a machine that is busy with other work.
  const options = { check: false, timeoutSeconds: 600 };
  if (fault.kind === "program") return { output: await host.exec(watched(argv), options), hit: false };
  const log = logPath(host);
  const tracer = fault.kind === "call" ? injecting(log, fault.call, fault.what) : injectingStart(log, fault.ordinal);
  const output = await host.exec(argv, { ...options, tracer });
  const hit = wasInjected(readFileSync(log, "utf8"));
  rmSync(log);
  return { output, hit };
}

function logPath({ name }: Host): string {
  return join(tmpdir(), `apollo-weave-faults-${process.pid}-${name}`);
}

export function hasFailed(results: string): boolean {
  return results.includes('"failed":true');
}
