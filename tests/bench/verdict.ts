/** A figure, and what it is to be at most; null where it has no target. */
export interface Aim {
  readonly what: string;
  readonly value: number;
  readonly target: number | null;
}

export function isMissed({ value, target }: Aim): boolean {
  return target !== null && value > target;
}

/** The figure with two digits behind the point, or with as many as tell that it is above its target. */
export function shown(aim: Aim): string {
  const digits = [2, 3, 4].find((count) => !isMissed(aim) || Number(aim.value.toFixed(count)) > (aim.target ?? 0)) ?? 5;
  return aim.value.toFixed(digits);
}

/** Names those that miss their targets, as Markdown. */
export function verdict(aims: readonly Aim[]): string {
  const missed = aims.filter(isMissed);
  if (missed.length === 0) return "All targets are met.";
  const lines = missed.map((aim) => `- ${aim.what}: ${shown(aim).replace(/\.00$/, "")} instead of ${aim.target}`);
  return `Missed are:\n\n${lines.join("\n")}`;
}
