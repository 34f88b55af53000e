/**
 * Gives out addresses of `--ipalloc-range`, as ipam/allocator.go of v2.8.1: the first request waits until a quorum of
 * peers agrees on how the range is shared, so it blocks for as long as too few of them are up. After that, and after a
 * restart, each peer gives out of its own share, and asks another for half of what that has left.
 */
import { PaxosNode } from "./paxos";
import { ipToNumber, isRecord, log, numberToIp, parseCidr } from "./text";

/** A share begins at `token` and ends where the next one begins. */
interface Share {
  token: number;
  peer: string;
  version: number;
}

interface Pending {
  ident: string;
  subnet: string;
  done: (cidr: string | undefined) => void;
}

export interface AllocatorSettings {
  name: string;
  nickName: string;
  uid: string;
  /** The CIDRs of --ipalloc-range and --ipalloc-default-subnet. */
  range: string;
  defaultSubnet: string;
  /** Names that the range is shared among from the start: --ipalloc-init seed=. */
  seed: string[];
  /** How many peers have to agree. */
  quorum: () => number;
  isKnown: (peer: string) => boolean;
  /** Whether it is connected to a peer: only such a one can be asked for a share. */
  isNeighbour: (peer: string) => boolean;
  /** Addresses that were there before the router, with their owners. */
  claims: { ident: string; cidr: string }[];
  store: { load(key: string): unknown; save(key: string, value: unknown): void };
  /** Tells all peers what `say` says now. */
  broadcast: () => void;
}

export class Allocator {
  private ring: Share[] = [];
  private seeds: string[] = [];
  private readonly owned = new Map<string, string[]>();
  private readonly nickNames: Record<string, string>;
  private readonly paxos: PaxosNode;
  private pending: Pending[] = [];
  private claims: { ident: string; cidr: string }[];
  private awaiting = false;
  /** Peers that want a share of ours, or whom we ask: the name of who is asked. */
  private asked: string | undefined;
  private readonly start: number;
  private readonly size: number;

  constructor(private readonly settings: AllocatorSettings) {
    const range = parseCidr(settings.range);
    if (!range) throw new Error(`invalid CIDR address: ${settings.range}`);
    this.size = 2 ** (32 - range.prefix);
    this.start = Math.floor(ipToNumber(range.ip) / this.size) * this.size;
    this.paxos = new PaxosNode(settings.name, settings.uid);
    this.nickNames = { [settings.name]: settings.nickName };
    this.claims = settings.claims;
    const stored = settings.store.load("ipam");
    if (isRecord(stored) && stored["range"] === settings.range) {
      this.ring = stored["ring"] as Share[];
      this.seeds = stored["seeds"] as string[];
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
    this.claims.push({ ident, cidr });
    this.retry();
    this.tryClaims();
  }

  lookup(ident: string): string[] {
    return this.owned.get(ident) ?? [];
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
    const heir = this.ring.find(({ peer }) => peer !== this.settings.name && this.settings.isKnown(peer));
    this.owned.clear();
    if (heir) this.transfer(this.settings.name, heir.peer);
  }

  /** Takes over the shares of a peer, given by name or nickname, and returns how many addresses these are. */
  takeOver(who: string): number {
    const names = Object.entries(this.nickNames).flatMap(([name, nick]) => (nick === who || name === who ? name : []));
    return names.reduce((sum, name) => sum + this.transfer(name, this.settings.name), 0);
  }

  private transfer(from: string, to: string): number {
    const moved = this.shares().filter(({ peer }) => peer === from);
    for (const { token } of moved) this.put({ token, peer: to, version: 0 });
    this.ringUpdated();
    return moved.reduce((sum, { size }) => sum + size, 0);
  }

  /** Goes on with what waits; also called at intervals, as messages may get lost. */
  retry(): void {
    if (this.awaiting) {
      this.propose();
    } else if (this.pending.length > 0) {
      if (this.ring.length === 0) this.establish();
      else this.tryPending();
    }
  }

  // --- agreement ---

  private establish(): void {
    if (this.ring.length > 0 || this.awaiting) return;
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
    this.seeds = names;
    const share = Math.floor(this.size / names.length);
    this.ring = names.map((peer, index) => ({ token: this.start + share * index, peer, version: 1 }));
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

  /** What all peers are told. */
  say(): unknown {
    const { range } = this.settings;
    const ring = this.ring.length > 0 ? { range, seeds: this.seeds, shares: this.ring } : undefined;
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
    const ring = said["ring"] as { range: string; seeds: string[]; shares: Share[] } | undefined;
    if (ring) this.merge(ring);
    else if (this.ring.length === 0 && isRecord(said["paxos"])) this.vote(said["paxos"]);
    if (said["asked"] === this.settings.name) this.donate(from);
  }

  private vote(state: Record<string, unknown>): void {
    if (!this.paxos.learn(state as ReturnType<PaxosNode["state"]>)) return;
    if (this.paxos.quorum === 0) this.paxos.quorum = this.settings.quorum();
    this.awaiting = true;
    const changed = this.paxos.think();
    this.conclude();
    if (changed && this.awaiting) this.settings.broadcast();
  }

  private merge({ range, seeds, shares }: { range: string; seeds: string[]; shares: Share[] }): void {
    if (range !== this.settings.range) {
      throw new Error(`Incompatible IP allocation ranges (received: ${range}, ours: ${this.settings.range})`);
    }
    if (this.ring.length > 0 && String(seeds) !== String(this.seeds)) {
      const both = `received: [${seeds.join(" ")}], ours: [${this.seeds.join(" ")}]`;
      throw new Error(`IP allocation was seeded by different peers (${both})`);
    }
    let changed = false;
    for (const share of shares) {
      const known = this.ring.find(({ token }) => token === share.token);
      if (known && known.version >= share.version) continue;
      this.ring = [...this.ring.filter((other) => other !== known), share].sort((a, b) => a.token - b.token);
      changed = true;
    }
    this.seeds = seeds;
    if (changed) this.ringUpdated();
  }

  // --- shares ---

  private shares(): (Share & { size: number })[] {
    const end = this.start + this.size;
    return this.ring.map((share, index) => ({ ...share, size: (this.ring[index + 1]?.token ?? end) - share.token }));
  }

  private put(share: Share): void {
    const version = (this.ring.find(({ token }) => token === share.token)?.version ?? 0) + 1;
    const others = this.ring.filter(({ token }) => token !== share.token);
    this.ring = [...others, { ...share, version }].sort((a, b) => a.token - b.token);
  }

  private used(): Set<number> {
    return new Set([...this.owned.values()].flat().map((cidr) => ipToNumber(cidr.split("/")[0] ?? "")));
  }

  /** Gives the upper half of the largest unused share to a peer. */
  private donate(to: string): void {
    const used = [...this.used()];
    const own = this.shares().filter(({ peer, size }) => peer === this.settings.name && size > 1);
    const free = own.filter(({ token, size }) => {
      const middle = token + Math.floor(size / 2);
      return !used.some((address) => address >= middle && address < token + size);
    });
    const [largest] = free.sort((a, b) => b.size - a.size);
    if (!largest) return;
    this.put({ token: largest.token + Math.floor(largest.size / 2), peer: to, version: 0 });
    this.ringUpdated();
  }

  private tryPending(): void {
    const used = this.used();
    for (const pending of [...this.pending]) {
      const cidr = this.lookup(pending.ident)[0] ?? this.next(pending.subnet, used);
      if (cidr === undefined) continue;
      used.add(ipToNumber(cidr.split("/")[0] ?? ""));
      if (!this.lookup(pending.ident).includes(cidr)) {
        this.owned.set(pending.ident, [...this.lookup(pending.ident), cidr]);
        this.save();
      }
      this.pending = this.pending.filter((other) => other !== pending);
      pending.done(cidr);
    }
    const donor = this.ring.find(({ peer }) => this.settings.isNeighbour(peer))?.peer;
    const before = this.asked;
    this.asked = this.pending.length > 0 ? donor : undefined;
    if (this.asked !== undefined && this.asked !== before) this.settings.broadcast();
  }

  /** The lowest unused address of its own shares in a subnet, without the subnet's first and last. */
  private next(subnet: string, used: Set<number>): string | undefined {
    const cidr = parseCidr(subnet);
    if (!cidr) return undefined;
    const size = 2 ** (32 - cidr.prefix);
    const first = Math.floor(ipToNumber(cidr.ip) / size) * size;
    for (const share of this.shares().filter(({ peer }) => peer === this.settings.name)) {
      const end = Math.min(share.token + share.size, first + size - 1);
      for (let address = Math.max(share.token, first + 1); address < end; address += 1) {
        if (!used.has(address)) return `${numberToIp(address)}/${cidr.prefix}`;
      }
    }
    return undefined;
  }

  private tryClaims(): void {
    this.claims = this.claims.filter(({ ident, cidr }) => {
      const address = ipToNumber(cidr.split("/")[0] ?? "");
      const inRange = address >= this.start && address < this.start + this.size;
      // Harmless, and logged for each address of the bridge in the mode bridge.
      if (!inRange) log("INFO", `[allocator] Address ${cidr} claimed by ${ident} - not in our range`);
      if (inRange && this.ring.length === 0) return true;
      if (!this.lookup(ident).includes(cidr)) this.owned.set(ident, [...this.lookup(ident), cidr]);
      return false;
    });
  }

  private save(): void {
    const { store, range } = this.settings;
    const owned = Object.fromEntries(this.owned);
    store.save("ipam", { range, seeds: this.seeds, ring: this.ring, owned });
  }

  // --- report ---

  /** IPAM in the report: ipam/status.go. */
  status() {
    const entries = this.shares().map(({ token, size, peer, version }) => ({
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
      RangeNumIPs: this.size,
      ActiveIPs: this.used().size,
      DefaultSubnet: this.settings.defaultSubnet,
      Entries: entries.length > 0 ? entries : null,
      PendingClaims:
        this.claims.length > 0 ? this.claims.map(({ ident, cidr }) => ({ Ident: ident, CIDR: cidr })) : null,
      PendingAllocates: this.pending.length > 0 ? this.pending.map(({ ident, subnet }) => `${ident} ${subnet}`) : null,
    };
  }
}
