/** What a run finds: fresh hosts, hosts as it leaves them, and those, under --check. */
export const KINDS = ["first run", "second run", "check"] as const;
export const SIDES = ["role", "baseline"] as const;

/** The baseline once more, gathering no facts but those that it uses. */
export const FEW_FACTS = "baseline, few facts";

export type Kind = (typeof KINDS)[number];
export type Side = (typeof SIDES)[number];

/** How Ansible reaches the hosts. */
export interface Condition {
  readonly pipelining: boolean;
  /** Milliseconds that are added to each round trip. */
  readonly roundTrip: number;
}

export const CONDITIONS: readonly Condition[] = [0, 50].flatMap((roundTrip) =>
  [true, false].map((pipelining) => ({ pipelining, roundTrip })),
);

export function conditionName({ pipelining, roundTrip }: Condition): string {
  return `pipelining ${pipelining ? "on" : "off"}, ${roundTrip} ms`;
}

/** The name of the figure that holds these runs' seconds. */
export function runName(kind: Kind, condition: Condition, side: Side | typeof FEW_FACTS): string {
  return `${kind}, ${conditionName(condition)}, ${side}`;
}

/** The most that the role may take of the baseline's time, or null where nothing is aimed at. */
export function target(kind: Kind, { pipelining }: Condition): number | null {
  if (kind === "check") return null;
  if (kind === "first run") return 0.7;
  return pipelining ? 0.3 : 0.4;
}

export const DATAPATHS = ["router", "vxlan"] as const;

/** The most that a second run of the role may take of what as many pings take. */
export const FLOOR_TARGET = 1.3;

/** The names of the figures of the floor: the role, as many pings, a play without tasks (in seconds), the calls (a number). */
export function floorNames(datapath: (typeof DATAPATHS)[number]) {
  const of = `second run, ${datapath}`;
  return { role: `${of}: role`, pings: `${of}: pings`, empty: `${of}: empty play`, calls: `${of}: calls` };
}
