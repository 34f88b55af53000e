/**
 * How routers agree, before any of them gives out an address, on whom the range is shared among: Paxos by gossip, as
 * ipam/paxos/paxos.go of v2.8.1. A single node decides nothing unless its quorum is one.
 */

interface Proposal {
  round: number;
  proposer: string;
}

interface Claims {
  promise: Proposal;
  accepted: Proposal;
  value: string[];
  origin: Proposal;
}

const NONE: Proposal = { round: 0, proposer: "" };

function precedes(a: Proposal, b: Proposal): boolean {
  return a.round !== b.round ? a.round < b.round : a.proposer < b.proposer;
}

function same(a: Proposal, b: Proposal): boolean {
  return a.round === b.round && a.proposer === b.proposer;
}

export class PaxosNode {
  /** Node, which is a peer's name and UID, to its claims. */
  private readonly knows = new Map<string, Claims>();
  quorum = 0;

  constructor(
    private readonly name: string,
    private readonly uid: string,
  ) {}

  get size(): number {
    return this.knows.size;
  }

  private get id(): string {
    return `${this.name} ${this.uid}`;
  }

  private get own(): Claims {
    return this.knows.get(this.id) ?? { promise: NONE, accepted: NONE, value: [], origin: NONE };
  }

  /** What this node tells others. */
  state(): Record<string, Claims> {
    return Object.fromEntries(this.knows);
  }

  /** Takes over what another node told. Returns whether any of it was new. */
  learn(state: Record<string, Claims>): boolean {
    let changed = false;
    for (const [id, claims] of Object.entries(state)) {
      const known = this.knows.get(id);
      const newPromise = !known || precedes(known.promise, claims.promise);
      const newAccepted = !known || precedes(known.accepted, claims.accepted);
      if (!newPromise && !newAccepted) continue;
      changed = true;
      const { accepted, value, origin } = newAccepted ? claims : known;
      this.knows.set(id, { promise: newPromise ? claims.promise : known.promise, accepted, value, origin });
    }
    return changed;
  }

  /** Begins a round of its own. */
  propose(): void {
    const rounds = [...this.knows.values()].flatMap(({ promise, accepted }) => [promise.round, accepted.round]);
    this.knows.set(this.id, { ...this.own, promise: { round: Math.max(0, ...rounds) + 1, proposer: this.id } });
    if (this.quorum === 1) this.think();
  }

  /** Promises and accepts what it has to. Returns whether that changed anything. */
  think(): boolean {
    const before = JSON.stringify(this.own);
    const all = [...this.knows.values()];
    let own = this.own;
    for (const { promise } of all) if (precedes(own.promise, promise)) own = { ...own, promise };
    if (own.promise.proposer === this.id) {
      const promised = [...this.knows].filter(([id, claims]) =>
        same((id === this.id ? own : claims).promise, own.promise),
      );
      if (this.quorum > 0 && promised.length >= this.quorum) {
        const best = promised.reduce(
          (found, [, claims]) => (precedes(found.accepted, claims.accepted) ? claims : found),
          own,
        );
        const chosen = best.accepted.round > 0 ? best : { value: this.names(), origin: own.promise };
        own = { ...own, accepted: own.promise, value: chosen.value, origin: chosen.origin };
      }
    }
    const acceptor = all.find((claims) => own.promise.round > 0 && same(claims.accepted, own.promise));
    if (acceptor) own = { ...own, accepted: acceptor.accepted, value: acceptor.value, origin: acceptor.origin };
    this.knows.set(this.id, own);
    return JSON.stringify(own) !== before;
  }

  /** The names that a quorum has accepted, sorted, or undefined. */
  consensus(): string[] | undefined {
    if (this.quorum === 0) return undefined;
    const counts = new Map<string, number>();
    for (const { accepted, origin, value } of this.knows.values()) {
      if (accepted.round === 0) continue;
      const key = `${origin.round} ${origin.proposer}`;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      if (count >= this.quorum) return [...new Set(value)].sort();
    }
    return undefined;
  }

  private names(): string[] {
    return [...this.knows.keys()].map((id) => id.split(" ")[0] ?? "");
  }
}
