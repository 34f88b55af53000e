const EXIT_STATUSES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** What `onSignals` has set up. */
export interface SignalHandling {
  /** Whether a signal has come and the process is about to end. */
  readonly ending: boolean;
  /** Leaves signals to whoever else handles them. */
  remove(): void;
}

/**
 * Does something once before the process ends by SIGINT, SIGTERM or SIGHUP, and then ends it with the signal's usual
 * status. Further signals don't interrupt that.
 */
export function onSignals(action: () => Promise<void>): SignalHandling {
  const signals = Object.keys(EXIT_STATUSES) as (keyof typeof EXIT_STATUSES)[];
  const handling = {
    ending: false,
    remove() {
      for (const signal of signals) process.removeListener(signal, handle);
    },
  };
  function handle(signal: keyof typeof EXIT_STATUSES): void {
    if (handling.ending) return;
    handling.ending = true;
    action()
      .catch((error: unknown) => process.stderr.write(`${error instanceof Error ? error.message : error}\n`))
      .finally(() => process.exit(EXIT_STATUSES[signal]));
  }
  for (const signal of signals) process.on(signal, handle);
  return handling;
}
