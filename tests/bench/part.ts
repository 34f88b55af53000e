/** The measured values by the figure's name, in the order in which they were measured. */
export type Samples = Readonly<Record<string, readonly number[]>>;

/** One subject of the benchmarks: how it is measured, and its section of docs/performance.md. */
export interface Part {
  /** Its name on the command line and of its files in docs/performance/. */
  readonly name: string;
  /** Boots hosts, measures on them and takes them down. Reports progress to `log`. */
  measure(log: (line: string) => void): Promise<Samples>;
  /** One line at the top of the page that answers "how fast is it?". */
  headline?(samples: Samples): string;
  /** Its section of the page, as Markdown. */
  section(samples: Samples): string;
  /** Its plots, SVG by name. */
  plots(samples: Samples): Readonly<Record<string, string>>;
}
