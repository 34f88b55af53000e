import { callPlugin } from "./python";

/** Clusters for tests of the role's filters weave_cluster and weave_preflight. */
export interface Clustered {
  readonly indexes: Readonly<Record<string, number>>;
  readonly underlays: Readonly<Record<string, string>>;
  readonly known: Readonly<Record<string, number>>;
  readonly unknown: readonly string[];
  readonly ask: Readonly<Record<string, readonly string[]>>;
  readonly peers: string;
  /** The JSON that the role keeps. */
  readonly hosts: string;
}

export type Variables = Readonly<Record<string, unknown>>;

/** The registered probe of a host of this run. */
export const probed = (index: number, kept: boolean, more: Variables = {}): Variables => ({
  __weave_probe: { stdout: `Welcome!\r\n${JSON.stringify({ index, kept, address: "", ...more })}\r\n` },
});
export const FRESH = probed(0, false);

/** What a host of this run has registered of hosts outside it, by their names; null for one that can't be reached. */
export const asked = (answers: Readonly<Record<string, Variables | null>>): Variables => ({
  __weave_probe_others: {
    results: Object.entries(answers).map(([item, answer]) =>
      answer ? { item, stdout: JSON.stringify({ address: "", ...answer }) } : { item, unreachable: true },
    ),
  },
});

export function cluster(
  hosts: Readonly<Record<string, Variables>>,
  more: { running?: string[]; interface?: string; numbered?: boolean } = {},
): Clustered {
  const members = Object.keys(hosts);
  const args = [members, hosts, more.running ?? members, more.interface ?? "", more.numbered ?? true];
  const kept = callPlugin<Pick<Clustered, "ask" | "peers" | "hosts">>("weave_cluster", "cluster", args);
  return { ...(JSON.parse(kept.hosts) as Omit<Clustered, keyof typeof kept>), ...kept };
}
