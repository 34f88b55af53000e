import { callPlugin } from "./python";

/** Clusters for tests of the role's filters weave_cluster and weave_preflight. */
export interface Clustered {
  readonly indexes: Readonly<Record<string, number>>;
  readonly underlays: Readonly<Record<string, string>>;
  readonly known: Readonly<Record<string, number>>;
  readonly unknown: readonly string[];
  readonly unrendered: Readonly<Record<string, string>>;
  readonly to_probe: Readonly<Record<string, readonly string[]>>;
  readonly peers: string;
  readonly duplicates: readonly { option: string; value: string; hosts: string[]; machine_id: string }[];
  readonly differences: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly interfaces: Readonly<Record<string, string>>;
  readonly unanswered: readonly string[];
  /** The JSON that the role keeps. */
  readonly hosts: string;
}

export type Variables = Readonly<Record<string, unknown>>;

/** The registered probe of a host of this run. */
export const probed = (index: number, keeps: boolean, more: Variables = {}): Variables => ({
  __weave_probe: {
    stdout: `Welcome!\r\n${JSON.stringify({ host_index: index, keeps_host_index: keeps, address: "", ...more })}\r\n`,
  },
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
  more: {
    members?: string[];
    running?: string[];
    interface?: string;
    needsHostIndex?: boolean;
    interfaceOf?: string;
  } = {},
): Clustered {
  const members = more.members ?? Object.keys(hosts);
  const { running = members, needsHostIndex = true, interfaceOf = "" } = more;
  const args = [members, hosts, running, more.interface ?? "", needsHostIndex, interfaceOf];
  const clustered = callPlugin<Pick<Clustered, "to_probe" | "peers" | "hosts">>(
    "weave_cluster",
    "resolve_cluster",
    args,
  );
  return { ...(JSON.parse(clustered.hosts) as Omit<Clustered, keyof typeof clustered>), ...clustered };
}
