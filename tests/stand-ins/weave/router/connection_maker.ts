/**
 * Which targets the router connects to and when it tries again, as mesh's connection_maker.go of v2.8.1. It connects to
 * only the targets: not to those that its peers know.
 */
import type { ConnectionStatus } from "./peers";
import { goTime, resolve, splitHostPort } from "./text";

interface Target {
  state: "waiting" | "attempting" | "connected";
  lastError: string | undefined;
  /** Milliseconds since 1970; undefined is never. */
  tryAfter: number | undefined;
  interval: number;
}

/** A connection that there is, by the other side's address. */
export interface Connected {
  address: string;
  outbound: boolean;
}

const maximalInterval = 360_000;
export const selfConnection = "cannot connect to ourself";

export class ConnectionMaker {
  /** Target as given → its resolved address and port (undefined if it has none). */
  private readonly directPeers = new Map<string, { ip: string; port: number | undefined }>();
  private readonly targets = new Map<string, Target>();
  private timer: NodeJS.Timeout | undefined;
  private isRunning = false;

  constructor(
    private readonly settings: {
      /** The port of targets given without one. */
      port: number;
      retryMilliseconds: () => number;
      connected: () => Connected[];
      dial: (address: string) => void;
      /** Called with all targets whenever they change. */
      save: (targets: string[]) => void;
    },
  ) {}

  start(): void {
    this.isRunning = true;
    this.check();
  }

  stop(): void {
    this.isRunning = false;
    if (this.timer) clearTimeout(this.timer);
  }

  /** All targets, as given; `activeOnly` leaves out those that it will never try again. */
  names(activeOnly = false): string[] {
    return [...this.directPeers].flatMap(([name, address]) => {
      const target = this.targets.get(this.complete(address));
      return activeOnly && target && target.tryAfter === undefined ? [] : name;
    });
  }

  private complete({ ip, port }: { ip: string; port: number | undefined }): string {
    return `${ip}:${port ?? this.settings.port}`;
  }

  /** Adds targets (or replaces them all). Returns Go's messages for those that are none; the others are added. */
  async initiate(peers: string[], replace: boolean): Promise<string[]> {
    const errors: string[] = [];
    const found = new Map<string, { ip: string; port: number | undefined }>();
    for (const peer of peers) {
      const [, host = peer, port] = /^([^:]*):([^:]*)$/.exec(peer) ?? [];
      // As net.SplitHostPort: what has two colons is a host without a port.
      if (host === "" || (port !== undefined && !/^[\p{L}\p{Nd}]*$/u.test(port))) {
        errors.push(`invalid peer name ${JSON.stringify(peer)}, should be host[:port]`);
        continue;
      }
      try {
        if (host.includes(":")) throw new Error(`address ${host}:0: too many colons in address`);
        if (port !== undefined && !/^\d+$/.test(port))
          throw new Error(`lookup tcp/${port}: Servname not supported for ai_socktype`);
        found.set(peer, {
          ip: await resolve(host),
          port: port === undefined || Number(port) === 0 ? undefined : Number(port),
        });
      } catch (error) {
        errors.push(error instanceof Error ? error.message : String(error));
      }
    }
    if (replace) this.directPeers.clear();
    for (const [peer, address] of found) {
      this.directPeers.set(peer, address);
      const target = this.targets.get(this.complete(address));
      if (target) {
        target.tryAfter = Date.now();
        target.interval = this.settings.retryMilliseconds();
      }
    }
    this.settings.save(this.names());
    this.check();
    return errors;
  }

  /** Drops targets; their connections stay. */
  forget(peers: string[]): void {
    for (const peer of peers) this.directPeers.delete(peer);
    this.settings.save(this.names());
  }

  /** Connects to targets whose next attempt is due, drops removed targets, and schedules the next call. */
  check(): void {
    if (!this.isRunning) return;
    if (this.timer) clearTimeout(this.timer);
    const links = this.settings.connected();
    const connected = new Set(links.map((link) => link.address));
    const inbound = new Set(links.flatMap((l) => (l.outbound ? [] : [splitHostPort(l.address).host])));
    const valid = new Set<string>();
    for (const peer of this.directPeers.values()) {
      const address = this.complete(peer);
      // A target without a port is not dialled while there is a connection from its address.
      if (connected.has(address) || (peer.port === undefined && inbound.has(peer.ip))) continue;
      valid.add(address);
      if (this.targets.has(address)) continue;
      const interval = this.settings.retryMilliseconds();
      this.targets.set(address, { state: "waiting", lastError: undefined, tryAfter: Date.now(), interval });
    }
    let next: number | undefined;
    for (const [address, target] of this.targets) {
      if (target.state !== "waiting") continue;
      if (!valid.has(address)) {
        this.targets.delete(address);
      } else if (target.tryAfter !== undefined) {
        const wait = target.tryAfter - Date.now();
        if (wait <= 0) {
          target.state = "attempting";
          this.settings.dial(address);
        } else {
          next = Math.min(next ?? wait, wait);
        }
      }
    }
    if (next !== undefined) this.timer = setTimeout(() => this.check(), next);
  }

  /** Notes that a connection that this router made is established. */
  established(address: string): void {
    const target = this.targets.get(address);
    if (!target) return;
    target.state = "connected";
    target.lastError = undefined;
    target.interval = this.settings.retryMilliseconds();
  }

  /** Notes why a connection, or the attempt at one, that this router made has ended. */
  ended(address: string, reason: string): void {
    const target = this.targets.get(address);
    if (!target) return;
    target.state = "waiting";
    target.lastError = reason;
    if (reason === selfConnection) {
      target.tryAfter = undefined;
    } else {
      target.tryAfter = Date.now() + target.interval / 2 + Math.random() * target.interval;
      target.interval = Math.min(target.interval * 1.5, maximalInterval);
    }
  }

  /** Targets that there is no connection to, as the report lists them. */
  status(): ConnectionStatus[] {
    return [...this.targets].flatMap(([Address, { state, lastError, tryAfter }]) => {
      const entry = (State: ConnectionStatus["State"], Info: string): ConnectionStatus => ({
        Address,
        Outbound: true,
        State,
        Info,
        Attrs: null,
      });
      const until = tryAfter === undefined ? "never" : goTime(new Date(tryAfter));
      if (state === "waiting") {
        return lastError === undefined
          ? entry("waiting", `until: ${until}`)
          : entry("failed", `${lastError}, retry: ${until}`);
      }
      if (state === "attempting")
        return lastError === undefined ? entry("connecting", "") : entry("retrying", lastError);
      return [];
    });
  }
}
