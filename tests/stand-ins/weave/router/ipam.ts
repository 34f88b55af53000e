/**
 * Gives out addresses of `--ipalloc-range`, as ipam/allocator.go of v2.8.1: the first request waits until a quorum of
 * peers agrees on how the range is shared, so it blocks for as long as too few of them are up. After that, and after a
 * restart, each peer gives out of its own share, and asks another for half of what that has left.
 */
import { PaxosNode } from "./paxos";
import { Ring, type RingState } from "./ring";
import type { AllocatorSettings } from "./settings";
import { ipToNumber, isRecord, log, numberToIp } from "./text";

interface Pending {
  ident: string;
  subnet: string;
  done: (cidr: string | undefined) => void;
}

export class Allocator {
  private readonly ring: Ring;
  private readonly owned = new Map<string, string[]>();
  private readonly nickNames: Record<string, string>;
  private readonly paxos: PaxosNode;
  private pending: Pending[] = [];
  private claims: { ident: string; cidr: string }[];
  private awaiting = false;
  /** The neighbour that is asked for a share. */
  private asked: string | undefined;

  constructor(private readonly settings: AllocatorSettings) {
    this.ring = new Ring(settings.range);
    this.paxos = new PaxosNode(settings.name, settings.uid);
    this.nickNames = { [settings.name]: settings.nickName };
    this.claims = settings.claims;
    const stored = settings.store.load("ipam");
    if (isRecord(stored) && stored["range"] === settings.range) {
      this.ring.merge(stored as unknown as RingState);
      for (const [ident, cidrs] of Object.entries(stored["owned"] as Record<string, string[]>)) {
        this.owned.set(ident, cidrs);
      }
      log("INFO", "[allocator] Initialising with persisted data");
      this.tryClaims();
    } else if (settings.seed.length > 0) {
      this.createRing(settings.seed);
    } else {
      log("INFO", "[allocator] Initialising via deferred consensus");
    }
  }

  // --- requests ---

  /** Resolves to the address of `ident` in `subnet`, as soon as there is one, or to undefined when it is cancelled. */
  allocate(ident: string, subnet: string, cancel: (cancelled: () => void) => void): Promise<string | undefined> {
    return new Promise((done) => {
      const pending = { ident, subnet, done };
      cancel(() => {
        this.pending = this.pending.filter((other) => other !== pending);
        done(undefined);
      });
      this.pending.push(pending);
      this.retry();
    });
  }

  /** Notes that `ident` has the address already. */
  claim(ident: string, cidr: string): void {
    this.claims.push({ ident: ident === "_" ? (cidr.split("/")[0] ?? "") : ident, cidr });
    this.retry();
    this.tryClaims();
  }

  /** The addresses of `ident`; only those in `subnet`, if one is given. */
  lookup(ident: string, subnet?: string): string[] {
    const cidrs = this.owned.get(ident) ?? [];
    if (subnet === undefined) return cidrs;
    const asked = new Ring(subnet);
    return cidrs.filter((cidr) => asked.contains(ipToNumber(cidr.split("/")[0] ?? "")));
  }

  /** Frees all addresses of `ident`, or this one. Returns whether there were any. */
  free(ident: string, ip?: string): boolean {
    const cidrs = this.lookup(ident);
    const kept = ip === undefined ? [] : cidrs.filter((cidr) => !cidr.startsWith(`${ip}/`));
    if (kept.length > 0) this.owned.set(ident, kept);
    else this.owned.delete(ident);
    this.save();
    return kept.length < cidrs.length;
  }

  /** Gives its shares to another peer: DELETE /peer. */
  leave(): void {
    const heir = this.ring.shares().find(({ peer }) => peer !== this.settings.name && this.settings.isKnown(peer));
    this.owned.clear();
    if (!heir) return;
    this.ring.transfer(this.settings.name, heir.peer);
    this.ringUpdated();
  }

  /** Takes over the shares of a peer, given by name or nickname, and returns how many addresses these are. */
  takeOver(who: string): number {
    const names = Object.entries(this.nickNames).flatMap(([name, nick]) => (nick === who || name === who ? name : []));
    const taken = names.reduce((sum, name) => sum + this.ring.transfer(name, this.settings.name), 0);
    this.ringUpdated();
    return taken;
  }

  /** Goes on with what waits; also called at intervals, as messages may get lost. */
  retry(): void {
    if (this.awaiting) {
      this.propose();
    } else if (this.pending.length > 0) {
      if (this.ring.isEmpty) this.establish();
      else this.tryPending();
    }
  }

  // --- agreement ---

  private establish(): void {
    if (!this.ring.isEmpty || this.awaiting) return;
    this.awaiting = true;
    this.paxos.quorum = this.settings.quorum();
    log("INFO", `Assuming quorum size of ${this.paxos.quorum}`);
    this.propose();
  }

  private propose(): void {
    this.paxos.propose();
    this.conclude();
    if (this.awaiting) this.settings.broadcast();
  }

  private conclude(): void {
    const names = this.paxos.consensus();
    if (names) this.createRing(names);
  }

  private createRing(names: string[]): void {
    this.ring.create(names);
    this.ringUpdated();
  }

  private ringUpdated(): void {
    this.awaiting = false;
    this.save();
    this.tryClaims();
    this.tryPending();
    this.settings.broadcast();
  }

  // --- gossip ---

  /** What all peers get. */
  say(): unknown {
    const ring = this.ring.isEmpty ? undefined : this.ring.state();
    return {
      nickNames: this.nickNames,
      ring,
      paxos: this.awaiting ? this.paxos.state() : undefined,
      asked: this.asked,
    };
  }

  /** Takes what the peer `from` told. Throws the router's message if both have shared different ranges, or differently. */
  hear(from: string, said: unknown): void {
    if (!isRecord(said)) return;
    Object.assign(this.nickNames, said["nickNames"]);
    const ring = said["ring"] as RingState | undefined;
    if (ring) {
      if (this.ring.merge(ring)) this.ringUpdated();
    } else if (this.ring.isEmpty && isRecord(said["paxos"])) {
      this.vote(said["paxos"]);
    }
    if (said["asked"] === this.settings.name && this.ring.donate(this.settings.name, from, this.used()))
      this.ringUpdated();
  }

  private vote(state: Record<string, unknown>): void {
    if (!this.paxos.learn(state as ReturnType<PaxosNode["state"]>)) return;
    if (this.paxos.quorum === 0) this.paxos.quorum = this.settings.quorum();
    this.awaiting = true;
    const changed = this.paxos.think();
    this.conclude();
    if (changed && this.awaiting) this.settings.broadcast();
  }

  // --- addresses ---

  private used(): Set<number> {
    return new Set([...this.owned.values()].flat().map((cidr) => ipToNumber(cidr.split("/")[0] ?? "")));
  }

  private tryPending(): void {
    const used = this.used();
    for (const pending of [...this.pending]) {
      const cidr =
        this.lookup(pending.ident, pending.subnet)[0] ?? this.ring.next(this.settings.name, pending.subnet, used);
      if (cidr === undefined) continue;
      used.add(ipToNumber(cidr.split("/")[0] ?? ""));
      // Nobody's address is filed under itself, so that it can be freed by it (api.NoContainerID).
      const ident = pending.ident === "_" ? (cidr.split("/")[0] ?? "") : pending.ident;
      if (!this.lookup(ident).includes(cidr)) {
        this.owned.set(ident, [...this.lookup(ident), cidr]);
        this.save();
      }
      this.pending = this.pending.filter((other) => other !== pending);
      pending.done(cidr);
    }
    const donor = this.ring.shares().find(({ peer }) => this.settings.isNeighbour(peer))?.peer;
    const before = this.asked;
    this.asked = this.pending.length > 0 ? donor : undefined;
    if (this.asked !== undefined && this.asked !== before) this.settings.broadcast();
  }

  private tryClaims(): void {
    this.claims = this.claims.filter(({ ident, cidr }) => {
      const address = ipToNumber(cidr.split("/")[0] ?? "");
      const inRange = this.ring.contains(address);
      // Harmless, and logged for each address of the bridge in the mode bridge.
      if (!inRange) log("INFO", `[allocator] Address ${cidr} claimed by ${ident} - not in our range`);
      if (inRange && this.ring.isEmpty) return true;
      if (!this.lookup(ident).includes(cidr)) this.owned.set(ident, [...this.lookup(ident), cidr]);
      return false;
    });
  }

  private save(): void {
    const owned = Object.fromEntries(this.owned);
    this.settings.store.save("ipam", { ...this.ring.state(), owned });
  }

  // --- report ---

  /** IPAM in the report: ipam/status.go. */
  status() {
    const entries = this.ring.shares().map(({ token, size, peer, version }) => ({
      Token: numberToIp(token),
      Size: size,
      Peer: peer,
      Nickname: this.nickNames[peer] ?? "",
      IsKnownPeer: peer === this.settings.name || this.settings.isKnown(peer),
      Version: version,
    }));
    return {
      Paxos: this.awaiting ? { Elector: true, KnownNodes: this.paxos.size, Quorum: this.paxos.quorum } : null,
      Range: this.settings.range,
      RangeNumIPs: this.ring.size,
      ActiveIPs: this.used().size,
      DefaultSubnet: this.settings.defaultSubnet,
      Entries: entries.length > 0 ? entries : null,
      PendingClaims:
        this.claims.length > 0 ? this.claims.map(({ ident, cidr }) => ({ Ident: ident, CIDR: cidr })) : null,
      PendingAllocates: this.pending.length > 0 ? this.pending.map(({ ident, subnet }) => `${ident} ${subnet}`) : null,
    };
  }
}
