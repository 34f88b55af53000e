/** A figure and its upper limit; null if it has none. */
export interface Aim {
  readonly what: string;
  readonly value: number;
  readonly target: number | null;
}

export function isMissed({ value, target }: Aim): boolean {
  return target !== null && value > target;
}

/** The figure with two decimals, or with as many as show that it is above its target. */
export function shown(aim: Aim): string {
  const digits = [2, 3, 4].find((count) => !isMissed(aim) || Number(aim.value.toFixed(count)) > (aim.target ?? 0)) ?? 5;
  return aim.value.toFixed(digits);
}

/** The figures that miss their targets, as Markdown. */
export function verdict(aims: readonly Aim[]): string {
  const missed = aims.filter(isMissed);
  if (missed.length === 0) return "All targets are met.";
  const lines = missed.map((aim) => `- ${aim.what}: ${shown(aim).replace(/\.00$/, "")} instead of ${aim.target}`);
  return `Missed targets:\n\n${lines.join("\n")}`;
}
