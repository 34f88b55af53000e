/** Made-up results of the filter weave_findings, for tests of the report. */
export interface Container {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
}

export interface FoundHost {
  readonly name: string;
  readonly underlay: string;
  readonly error: string;
  readonly bridge: { readonly state: string; readonly address: string | null };
  readonly containers: readonly Container[];
  readonly [more: string]: unknown;
}

export interface Target {
  readonly host: string;
  readonly container: string | null;
  readonly address: string;
}

export interface Findings {
  readonly hosts: readonly FoundHost[];
  readonly targets: readonly Target[];
  readonly sources: readonly {
    readonly host: string;
    readonly container: string | null;
    readonly ms: Readonly<Record<string, number | null>>;
    readonly error: string;
  }[];
}

export interface GivenFindings {
  readonly hosts: number;
  /** Of each host; the first is a source, too. */
  readonly containers?: number;
  /** By the host's number, from 1. */
  readonly name?: (number: number) => string;
  /** Hosts that gave no answer, by their numbers. */
  readonly off?: readonly number[];
  /** Hosts that paths are tested from; all unless given. */
  readonly playing?: readonly number[];
  /** Whether a path is blocked. */
  readonly blocked?: (from: number, to: number, container: string | null) => boolean;
  /** Whether WireGuard encrypts the VXLAN; between blocked pairs there is no handshake. */
  readonly encrypted?: boolean;
  /** What else a host reported, or differently from the others. */
  readonly more?: (number: number) => object;
}

/** What a host's WireGuard reports, with keys and addresses that tell the hosts apart. */
function encryptionOf(
  number: number,
  numbers: readonly number[],
  blocked: NonNullable<GivenFindings["blocked"]>,
): object {
  const address = (of: number): string => `fe80::${of.toString(16)}`;
  const others = numbers.filter((other) => other !== number);
  const peers = others.map((other) => ({
    ...{ key: `KEY${other}=`, endpoint: `${underlay(other)}:51820`, address: address(other) },
    ...(blocked(number, other, null) && blocked(other, number, null)
      ? { handshake: null, received: 0, sent: 1480 }
      : { handshake: (number + other) * 11, received: other * 4_321_000, sent: number * 765_432 }),
  }));
  const wireguard = { state: "up", key: `KEY${number}=`, port: 51820, peers };
  return { local: address(number), peers: others.map(address), wireguard };
}

const CONTAINERS = ["api", "cache", "db", "queue", "web"];
const underlay = (number: number): string => `192.168.${50 + (number >> 8)}.${number & 255}`;

export function createFindings({
  hosts: count,
  containers = 2,
  name = (number) => `docker${number}`,
  ...given
}: GivenFindings): Findings {
  const { off = [], blocked = () => false, more = () => ({}), encrypted = false } = given;
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const playing = (given.playing ?? numbers).filter((number) => !off.includes(number));
  const numberOf = new Map(numbers.map((number) => [name(number), number]));

  const hosts = numbers.map((number): FoundHost => {
    const known = { name: name(number), underlay: underlay(number) };
    if (off.includes(number)) {
      const error = `ssh: connect to host ${known.underlay} port 22: No route to host`;
      return { ...known, error, bridge: { state: "unknown", address: null }, containers: [] };
    }
    return {
      ...known,
      error: "",
      bridge: { state: "up", address: `10.2.0.${number}` },
      datapath: {
        kind: "vxlan",
        port: 4789,
        state: "up",
        local: underlay(number),
        peers: numbers.filter((other) => other !== number).map(underlay),
        ...(encrypted && encryptionOf(number, numbers, blocked)),
      },
      docker: "running",
      containers: CONTAINERS.slice(0, containers).map((one, index) => {
        return { name: `${one}-${number}`, address: `10.2.${number}.${index + 1}`, pid: 7 };
      }),
      containers_total: containers,
      off_network: [],
      subnet: `10.2.${number}.0/24`,
      ...more(number),
    };
  });

  const targets = hosts.flatMap(({ name: host, bridge, containers: own }): Target[] => [
    ...(bridge.address === null ? [] : [{ host, container: null, address: bridge.address }]),
    ...own.map(({ name: container, address }) => ({ host, container, address })),
  ]);

  // A single host has no path to test.
  const sources = (count > 1 ? playing : []).flatMap((from) => {
    const host = hosts[from - 1];
    const ends = host ? [null, ...host.containers.slice(0, 1).map((container) => container.name)] : [];
    return ends.map((container, index) => {
      const paths = targets
        .filter((target) => target.host !== name(from))
        .map(({ host: to, container: end, address }, place) => {
          // Most answers are fast, and some of each step of the page's colours.
          const ms = ((from * 37 + place * 13 + index * 5) % 90) / 100 + 0.08;
          const slow = [1, 1, 1, 1, 1, 1, 1, 1, 1, 20, 400][(from + place * 3 + index) % 11] ?? 1;
          return [address, blocked(from, numberOf.get(to) ?? 0, end) ? null : Math.round(ms * slow * 1000) / 1000];
        });
      return { host: name(from), container, ms: Object.fromEntries(paths), error: "" };
    });
  });
  return { hosts, targets, sources };
}

/** All paths between these two hosts are blocked. */
export const between =
  (one: number, other: number) =>
  (from: number, to: number): boolean =>
    (from === one && to === other) || (from === other && to === one);
