/** The rules of a packet filter (iptables, nftables) that decide on a packet, as far as they are understood. */
export interface PacketFilter {
  readonly chains: ReadonlyMap<string, readonly FilterRule[]>;
  /** The chains where packets enter. A packet that one of them drops is lost, whatever the others do. */
  readonly base: readonly BaseChain[];
}

export interface BaseChain {
  /** The chain's key among the chains: its name, in nftables after the family and the table. */
  readonly chain: string;
  readonly hook: "input" | "forward";
  readonly policy: "accept" | "drop";
}

export interface FilterRule {
  readonly matches: readonly Match[];
  /** Whether it has a match that is not understood. */
  readonly opaque: boolean;
  /** Null if the packet goes on to the next rule. */
  readonly verdict: Verdict | null;
  /** "" without one. */
  readonly comment: string;
  /** How the rule is removed: a line of iptables-save, or a handle of nftables. */
  readonly reference: string;
}

export type Verdict = "accept" | "drop" | "return" | { readonly chain: string; readonly goto: boolean };

/** Targets that end evaluation, by iptables' names. */
export const VERDICTS: Readonly<Record<string, Verdict>> = {
  ACCEPT: "accept",
  DROP: "drop",
  REJECT: "drop",
  RETURN: "return",
  QUEUE: "accept",
  NFQUEUE: "accept",
};

export interface Match {
  readonly field: keyof Fields;
  /** One of them: a network, `1024-65535`, or a device such as `veth*`. */
  readonly values: readonly string[];
  readonly negated: boolean;
}

/** What rules match of a packet. It is the first one of a connection, to this host itself unless it is forwarded. */
export interface Fields {
  readonly family: string;
  readonly in: string;
  readonly out: string;
  /** An address or network. */
  readonly source: string;
  readonly destination: string;
  readonly protocol: string;
  readonly port: string;
  /** As conntrack has it, such as `new`. */
  readonly state: string;
  /** As conntrack has it, such as `dnat`; a first packet has none. */
  readonly status: string;
  /** What the destination's route is, such as `local`. */
  readonly type: string;
}
