import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** The process was asked to end. What is under way stops, and nothing is rolled back: the next run finishes the work. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";

  constructor(readonly signal: string) {
    super(`interrupted by ${signal}`);
  }
}

/** All that would end the process and that it can get from outside: a person, a terminal, a time limit, a shutdown (signal(7)). */
const SIGNALS: readonly NodeJS.Signals[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGALRM",
  "SIGVTALRM",
  "SIGPROF",
  "SIGUSR1",
  "SIGUSR2",
  "SIGXCPU",
  "SIGPWR",
  "SIGIO",
  "SIGSTKFLT",
];

/** How long programs have to end by SIGTERM. */
const END_SECONDS = 2;

let interruption: Interrupted | null = null;
const programs = new Set<ChildProcess>();

/** What keeps this process from going on. */
export interface ProcessFailure {
  /** Rejects with the cause. */
  readonly rejection: Promise<never>;
  readonly hasHappened: () => boolean;
}

/**
 * Watches for what would end this process: a signal, an exception or a rejected promise that nothing catches, or work that waits for
 * something which can't happen any more, as nothing is left in the event loop. Without it, Node.js would end at once, print a stack to
 * standard error, or end with status 0. At a signal, the programs that run are ended first.
 */
export function watchProcess(): ProcessFailure {
  let happened = false;
  const rejection = new Promise<never>((_, reject) => {
    process.on("uncaughtException", reject);
    process.on("unhandledRejection", reject);
    process.on("beforeExit", () => reject(new Error("it waits for something that can't happen any more")));
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (interruption !== null) return;
        interruption = new Interrupted(signal);
        endPrograms().then(() => reject(interruption), reject);
      });
    }
  });
  // It may come when nobody waits for it.
  rejection.catch(() => {
    happened = true;
  });
  return { rejection, hasHappened: () => happened };
}

/** Throws Interrupted if a signal has come, including one that came while run() blocked this process. */
export async function throwIfInterrupted(): Promise<void> {
  // A signal's handler is called when the event loop polls: at the latest between these two.
  await new Promise((next) => setImmediate(next));
  await new Promise((next) => setImmediate(next));
  if (interruption !== null) throw interruption;
}

/** Ends this program at a signal, with all in its process group, if it still runs then. */
export function endAtSignal(program: ChildProcess): void {
  programs.add(program);
  const forget = (): unknown => interruption === null && programs.delete(program);
  program.once("exit", forget);
  program.once("error", forget);
}

async function endPrograms(): Promise<void> {
  const end = Date.now() + END_SECONDS * 1000;
  const running = (): ChildProcess[] => [...programs].filter((program) => signalAll(program, 0));
  for (const program of programs) signalAll(program, "SIGTERM");
  while (running().length > 0 && Date.now() < end) await sleep(20);
  for (const program of running()) signalAll(program, "SIGKILL");
  // What waits for these programs ends first.
  await new Promise((next) => setImmediate(next));
}

/** Signals a program and all that it has started, or only it if it has no process group of its own (execFile()). */
function signalAll(program: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  return program.pid !== undefined && (signalGroup(program.pid, signal) || program.kill(signal));
}

/** Signals all processes of a group; the signal 0 only asks whether there are any (kill(2)). Returns whether there were any. */
export function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-leader, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    return false;
  }
}
