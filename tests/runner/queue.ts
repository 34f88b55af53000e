import type { Suite } from "../hosts/suites";
import { type Durations, longestFirst } from "./durations";

/** A test file to run: on hosts of its own choice, or again, on those of this suite and with samples of its cases. */
export interface Run {
  readonly path: string;
  readonly suite: Suite | null;
}

/** Test files that wait to be run, the longest first by their last durations. */
export class Queue {
  private waiting: Run[] = [];
  private readonly running = new Set<Promise<void>>();
  private isStopped = false;

  constructor(
    runs: readonly Run[],
    private readonly durations: Durations,
  ) {
    this.add(runs);
  }

  add(runs: readonly Run[]): void {
    if (!this.isStopped) this.waiting = longestFirst([...this.waiting, ...runs], this.durations);
  }

  /** Starts no other file. */
  stop(): void {
    this.isStopped = true;
    this.waiting = [];
  }

  /** Runs all, as many side by side as there are clusters. It has ended when nothing runs that may still add files. */
  async runAll(clusters: readonly string[], runOne: (run: Run, cluster: string) => Promise<void>): Promise<void> {
    const worker = async (cluster: string): Promise<void> => {
      for (;;) {
        const run = this.waiting.shift();
        if (run !== undefined) {
          const ended = runOne(run, cluster);
          this.running.add(ended);
          await ended;
          this.running.delete(ended);
        } else if (this.running.size > 0) await Promise.race(this.running);
        else return;
      }
    };
    await Promise.all(clusters.map(worker));
  }
}
