import { readdirSync, readFileSync } from "node:fs";

/** A process as it can be found again: its id and its start, in clock ticks since boot, as ids are reused. */
export interface ProcessId {
  pid: number;
  start: string;
}

/** The process with this id, or null when there is none, or only a zombie. */
export function findProcess(pid: number): ProcessId | null {
  const stat = readProc(pid, "stat");
  // The second field, the program's name in parentheses, may itself hold spaces and parentheses.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const start = fields[18];
  return start === undefined || state === "Z" || state === "X" ? null : { pid, start };
}

/** Whether this very process still runs. */
export function isAlive({ pid, start }: ProcessId): boolean {
  return findProcess(pid)?.start === start;
}

/** The argument vector of a process; empty when it has gone. */
export function commandOf(pid: number): string[] {
  return readProc(pid, "cmdline").split("\0").slice(0, -1);
}

/** The ids of all processes. */
export function allProcesses(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
}

/** Sends a signal to a process; nothing happens when it has gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals | number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
