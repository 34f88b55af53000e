/** Runs on fresh hosts, on hosts with nothing to do, and on those under --check. */
export const KINDS = ["first run", "second run", "check"] as const;
export const SIDES = ["role", "baseline"] as const;

/** The baseline, gathering only the facts that it uses. */
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

/** The name of the figure for the seconds of these runs. */
export function runName(kind: Kind, condition: Condition, side: Side | typeof FEW_FACTS): string {
  return `${kind}, ${conditionName(condition)}, ${side}`;
}

/** The upper limit of the role's share of the baseline's time, or null without a target. */
export function target(kind: Kind, { pipelining }: Condition): number | null {
  if (kind === "check") return null;
  if (kind === "first run") return 0.7;
  return pipelining ? 0.35 : 0.4;
}

/** The Docker network of the containers: Docker's default one, or one that the role makes. */
export const NETWORKS = ["bridge", "weave"] as const;

/** The name of the figure for the seconds of a first run with the VXLAN. */
export function firstRun(network: (typeof NETWORKS)[number]): string {
  return `first run, vxlan, Docker network ${network}`;
}

export const DATAPATHS = ["router", "vxlan"] as const;

/** The upper limit of a second run, as a multiple of as many pings. */
export const FLOOR_TARGET = 1.3;

/** The names of the figures: the role, as many pings, a play without tasks (in seconds), and the number of calls. */
export function floorNames(datapath: (typeof DATAPATHS)[number]) {
  const of = `second run, ${datapath}`;
  return { role: `${of}: role`, pings: `${of}: pings`, empty: `${of}: empty play`, calls: `${of}: calls` };
}
