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
  /** The figures that have targets. */
  aims?(samples: Samples): readonly Aim[];
  /** Its plots, SVG by name. */
  plots(samples: Samples): Readonly<Record<string, string>>;
}

/** A figure and its upper limit, or its lower one if `least`; null if it has none. */
export interface Aim {
  readonly what: string;
  readonly value: number;
  readonly target: number | null;
  readonly least?: boolean;
}

export function isMissed({ value, target, least = false }: Aim): boolean {
  return target !== null && (least ? value < target : value > target);
}

/** The figure with two decimals, or with as many as show that it misses its target. */
export function shown(aim: Aim): string {
  const digits = [2, 3, 4].find(
    (count) => !isMissed(aim) || isMissed({ ...aim, value: Number(aim.value.toFixed(count)) }),
  );
  return aim.value.toFixed(digits ?? 5);
}

/** The figures that miss their targets, as Markdown. */
export function verdict(aims: readonly Aim[]): string {
  const missed = aims.filter(isMissed);
  if (missed.length === 0) return "All targets are met.";
  const lines = missed.map((aim) => `- ${aim.what}: ${shown(aim).replace(/\.00$/, "")} instead of ${aim.target}`);
  return lines.join("\n");
}
