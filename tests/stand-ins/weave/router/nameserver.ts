/**
 * Names of containers, as nameserver/nameserver.go of v2.8.1: each router tells all others its own, and forgets those of
 * routers that it does not reach. It has no name that was not registered.
 */
import { isRecord, log } from "./text";

interface Entry {
  hostname: string;
  id: string;
  address: string;
  origin: string;
  version: number;
  /** Seconds since 1970 when it was removed; 0 is not. */
  tombstone: number;
}

export const DOMAIN = "weave.local.";

/** A name with a dot at its end. */
function fully(name: string): string {
  return name.endsWith(".") ? name : `${name}.`;
}

export class Nameserver {
  private entries: Entry[] = [];

  constructor(
    private readonly own: string,
    private readonly isKnown: (peer: string) => boolean,
    private readonly broadcast: () => void,
  ) {}

  /** Registers a name of the container `id`; a name outside the domain is ignored. */
  add(fqdn: string, id: string, address: string): void {
    const hostname = fully(fqdn);
    if (!`.${hostname.toLowerCase()}`.endsWith(`.${DOMAIN}`)) {
      log("INFO", `Ignoring registration ${hostname} ${address} ${id} (not a subdomain of ${DOMAIN})`);
      return;
    }
    log("INFO", `[nameserver ${this.own}] adding entry for ${id}: ${hostname} -> ${address}`);
    this.put({ hostname, id, address, origin: this.own, version: 0, tombstone: 0 });
    this.broadcast();
  }

  private put(entry: Entry): void {
    const known = this.entries.find((other) => key(other) === key(entry));
    if (known) Object.assign(known, { tombstone: entry.tombstone, version: known.version + 1 });
    else this.entries.push(entry);
  }

  /** Removes this router's own names that agree in all that is given. */
  remove(which: { id?: string; address?: string; fqdn?: string }): void {
    const now = Math.floor(Date.now() / 1000);
    for (const entry of this.entries) {
      if (entry.origin !== this.own || entry.tombstone > 0) continue;
      if (which.id !== undefined && entry.id !== which.id) continue;
      if (which.address !== undefined && entry.address !== which.address) continue;
      if (which.fqdn !== undefined && entry.hostname !== fully(which.fqdn)) continue;
      this.put({ ...entry, tombstone: now });
    }
    this.broadcast();
  }

  /** The addresses of a name, of all routers; one without dots is of the domain. */
  lookup(name: string): string[] {
    const hostname = fully(name).toLowerCase();
    const full = hostname.split(".").length === 2 ? `${hostname}${DOMAIN}` : hostname;
    return this.present().flatMap((entry) => (entry.hostname.toLowerCase() === full ? entry.address : []));
  }

  reverse(address: string): string | undefined {
    return this.present().find((entry) => entry.address === address)?.hostname;
  }

  private present(): Entry[] {
    return this.entries.filter(
      ({ origin, tombstone }) => tombstone === 0 && (origin === this.own || this.isKnown(origin)),
    );
  }

  say(): unknown {
    return this.entries;
  }

  hear(_from: string, said: unknown): void {
    if (!Array.isArray(said)) return;
    for (const entry of said.filter(isRecord) as unknown as Entry[]) {
      if (entry.origin === this.own || !this.isKnown(entry.origin)) continue;
      const known = this.entries.find((other) => key(other) === key(entry));
      if (!known) this.entries.push(entry);
      else if (known.version < entry.version) Object.assign(known, entry);
    }
  }

  /** Entries in the report: nameserver/status.go. */
  status(): Record<string, string | number>[] {
    return this.entries
      .filter(({ origin }) => origin === this.own || this.isKnown(origin))
      .map(({ hostname, origin, id, address, version, tombstone }) => ({
        Hostname: hostname,
        Origin: origin,
        ContainerID: id,
        Address: address,
        Version: version,
        Tombstone: tombstone,
      }));
  }
}

function key({ hostname, id, address, origin }: Entry): string {
  return [hostname.toLowerCase(), id, address, origin].join(" ");
}
