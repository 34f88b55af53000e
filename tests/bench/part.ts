/** Figures by what they are of, each with every single value, in the order in which they were measured. */
export type Samples = Readonly<Record<string, readonly number[]>>;

/** One subject of the benchmarks: how it is measured, and what docs/performance.md says of the figures. */
export interface Part {
  /** Its word on the command line, and the name of its files in docs/performance/. */
  readonly name: string;
  /** Measures on hosts that it boots and takes down. Says by `log` what it is at. */
  measure(log: (line: string) => void): Promise<Samples>;
  /** Takes what `measure` returned; returns its section of the page, as Markdown. */
  section(samples: Samples): string;
  /** Takes what `measure` returned; returns its plots, SVG by name. */
  plots(samples: Samples): Readonly<Record<string, string>>;
}
