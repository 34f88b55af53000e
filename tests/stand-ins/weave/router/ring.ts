/** How the range is shared among peers, as ipam/ring of v2.8.1: tokens, each the first address of a peer's share. */
import { ipToNumber, numberToIp, parseCidr } from "./text";

/** A share begins at `token` and ends where the next one begins. */
interface Share {
  token: number;
  peer: string;
  version: number;
}

/** A ring as routers tell each other. */
export interface RingState {
  range: string;
  /** Whom the range was shared among at first. */
  seeds: string[];
  shares: Share[];
}

export class Ring {
  private list: Share[] = [];
  private seeds: string[] = [];
  private readonly start: number;
  /** How many addresses the range has. */
  readonly size: number;

  /** Throws if `range` is no CIDR. */
  constructor(private readonly range: string) {
    const cidr = parseCidr(range);
    if (!cidr) throw new Error(`invalid CIDR address: ${range}`);
    this.size = 2 ** (32 - cidr.prefix);
    this.start = Math.floor(ipToNumber(cidr.ip) / this.size) * this.size;
  }

  get isEmpty(): boolean {
    return this.list.length === 0;
  }

  state(): RingState {
    return { range: this.range, seeds: this.seeds, shares: this.list };
  }

  contains(address: number): boolean {
    return address >= this.start && address < this.start + this.size;
  }

  /** Shares the whole range among peers, in equal parts. */
  create(peers: string[]): void {
    const share = Math.floor(this.size / peers.length);
    this.seeds = peers;
    this.list = peers.map((peer, index) => ({ token: this.start + share * index, peer, version: 1 }));
  }

  /** Takes over what is newer in another's ring. Returns whether anything is. Throws the router's message if they can't be one. */
  merge({ range, seeds, shares }: RingState): boolean {
    if (range !== this.range) {
      throw new Error(`Incompatible IP allocation ranges (received: ${range}, ours: ${this.range})`);
    }
    if (!this.isEmpty && String(seeds) !== String(this.seeds)) {
      const both = `received: [${seeds.join(" ")}], ours: [${this.seeds.join(" ")}]`;
      throw new Error(`IP allocation was seeded by different peers (${both})`);
    }
    this.seeds = seeds;
    const newer = shares.filter(({ token, version }) => (this.at(token)?.version ?? 0) < version);
    for (const share of newer) this.set(share);
    return newer.length > 0;
  }

  shares(): (Share & { size: number })[] {
    const end = this.start + this.size;
    return this.list.map((share, index) => ({ ...share, size: (this.list[index + 1]?.token ?? end) - share.token }));
  }

  private at(token: number): Share | undefined {
    return this.list.find((share) => share.token === token);
  }

  private set(share: Share): void {
    const others = this.list.filter(({ token }) => token !== share.token);
    this.list = [...others, share].sort((a, b) => a.token - b.token);
  }

  private give(token: number, peer: string): void {
    this.set({ token, peer, version: (this.at(token)?.version ?? 0) + 1 });
  }

  /** Gives all shares of a peer to another. Returns how many addresses these are. */
  transfer(from: string, to: string): number {
    const moved = this.shares().filter(({ peer }) => peer === from);
    for (const { token } of moved) this.give(token, to);
    return moved.reduce((sum, { size }) => sum + size, 0);
  }

  /** Gives the upper half of the largest unused share of `from` to a peer. Returns whether there is one. */
  donate(from: string, to: string, used: ReadonlySet<number>): boolean {
    const middle = ({ token, size }: { token: number; size: number }): number => token + Math.floor(size / 2);
    const free = this.shares().filter((share) => {
      const upper = (address: number): boolean => address >= middle(share) && address < share.token + share.size;
      return share.peer === from && share.size > 1 && ![...used].some(upper);
    });
    const [largest] = free.sort((a, b) => b.size - a.size);
    if (largest) this.give(middle(largest), to);
    return largest !== undefined;
  }

  /** The lowest unused address of a peer's shares in a subnet, without the subnet's first and last, as a CIDR. */
  next(peer: string, subnet: string, used: ReadonlySet<number>): string | undefined {
    const cidr = parseCidr(subnet);
    if (!cidr) return undefined;
    const size = 2 ** (32 - cidr.prefix);
    const first = Math.floor(ipToNumber(cidr.ip) / size) * size;
    for (const share of this.shares().filter((other) => other.peer === peer)) {
      const end = Math.min(share.token + share.size, first + size - 1);
      for (let address = Math.max(share.token, first + 1); address < end; address += 1) {
        if (!used.has(address)) return `${numberToIp(address)}/${cidr.prefix}`;
      }
    }
    return undefined;
  }
}
