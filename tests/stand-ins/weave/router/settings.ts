/** The settings of the router's stand-in, from the router's own command line and the environment. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Behaviour, readBehaviour, versionFamily } from "./behaviour";
import { log, parseCidr } from "./text";

/** A peer that frames are sent to, and how large they may be. */
export interface Carried {
  address: string;
  mtu: number;
}

/** Where a router keeps what it has to know after a restart: its targets, and who has which addresses. */
export interface Store {
  load(key: string): unknown;
  save(key: string, value: unknown): void;
}

/** What IPAM needs of the rest of the router. */
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
  store: Store;
  /** Tells all peers what `say` says now. */
  broadcast: () => void;
}

/** What frames.py has counted and learned: how many frames it captured, and where each MAC address is. */
export interface Captured {
  received: number;
  /** MAC address to the peer's address, or to "" where it is this host. */
  macs: Map<string, { from: string; lastSeen: Date }>;
}

/** A router's settings. Addresses are `host:port`; port 0 means any free one. */
export interface RouterSettings {
  version: string;
  /** Peer name, a MAC address. */
  name: string;
  nickName: string;
  /** Address to listen on for peers; undefined is all. */
  host: string | undefined;
  /** Port for peers, and the port of targets given without one. */
  port: number;
  /** Control HTTP; undefined is none. */
  httpAddress: string | undefined;
  /** Read-only status and metrics; undefined is none. */
  statusAddress: string | undefined;
  password: string | undefined;
  trustedSubnets: string[];
  peerDiscovery: boolean;
  /** CIDR for automatic allocation; undefined switches it off. */
  ipallocRange: string | undefined;
  ipallocDefaultSubnet: string | undefined;
  /** --ipalloc-init: `consensus=N` or `seed=NAME,...`; undefined is a quorum of the targets. */
  ipallocInit: string | undefined;
  /** Where DNS listens; undefined is `--no-dns`. */
  dnsAddress: string | undefined;
  /** The resolver's configuration that names DNS's upstream servers; undefined is none. */
  resolvConf: string | undefined;
  /** Where the proxy listens; undefined is `--proxy=false`. */
  proxyAddress: string | undefined;
  plugin: boolean;
  /** Whether it has its fast datapath. */
  fastdp: boolean;
  /** The bridge that `expose` puts addresses on; undefined only remembers them. */
  bridge: string | undefined;
  /** Docker's bridge, which the firewall's rules name; undefined is none. */
  dockerBridge: string | undefined;
  /** Docker's socket, whose events DNS and IPAM follow; undefined is none. */
  dockerSocket: string | undefined;
  /** Peers to connect to, `host[:port]`, as on the command line. */
  targets: string[];
  store: Store;
  /** The MTU of the interface that has an address. */
  underlayMtu: (address: string) => number;
  /** Called with all connected peers whenever they change; frames are sent to these peers only. */
  carry: (peers: Carried[]) => void;
  captured: () => Captured;
  behaviour: () => Behaviour;
}

// --- command line ---

const valueFlags = new Set(
  (
    "host port min-protocol-version weave-bridge docker-bridge name nickname password log-level profile conn-limit bufsz " +
    "mtu http-addr status-addr metrics-addr ipalloc-init ipalloc-range ipalloc-default-subnet docker-api dns-domain " +
    "dns-listen-address dns-effective-listen-address dns-ttl dns-fallback-timeout resolv-conf datapath trusted-subnets " +
    "db-prefix proc-path host-root peer-discovery-url token advertise-address plugin-socket plugin-mesh-socket H " +
    "hostname-from-label hostname-match hostname-replacement tlscacert tlscert tlskey iface init-peer-count iprange " +
    "ipsubnet initpeercount"
  ).split(" "),
);
const booleanFlags = new Set(
  (
    "version print-peer-name resume expect-npc pkt-debug no-discovery no-dns no-fastdp no-bridged-fastdp awsvpc plugin " +
    "plugin-v2 plugin-v2-multicast no-masq-local proxy rewrite-inspect no-default-ipalloc no-rewrite-hosts tls tlsverify " +
    "without-dns no-multicast-route nodiscovery"
  ).split(" "),
);

/** Parses the router's command line; the last occurrence of a flag counts. Throws mflag's message for an unknown flag. */
export function parseFlags(args: string[]): { flags: Map<string, string>; peers: string[] } {
  const flags = new Map<string, string>();
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    if (arg === "--") return { flags, peers: args.slice(index + 1) };
    // As in mflag, flags end at the first argument that is not a flag.
    if (!/^-./.test(arg)) return { flags, peers: args.slice(index) };
    const [, name = "", inline] = /^--?([^=]*)(?:=([\s\S]*))?$/.exec(arg) ?? [];
    if (booleanFlags.has(name)) {
      flags.set(name, inline ?? "true");
    } else if (valueFlags.has(name)) {
      if (inline === undefined && index + 1 >= args.length) throw new Error(`flag needs an argument: ${arg}`);
      if (inline === undefined) index += 1;
      flags.set(name, inline ?? args[index] ?? "");
    } else {
      throw new Error(`flag provided but not defined: ${arg}`);
    }
  }
  return { flags, peers: [] };
}

/** The peer name: `--name`, or the bridge's MAC address, or one derived from the machine's id. */
function peerName(flags: Map<string, string>): string {
  const given = flags.get("name");
  if (given !== undefined && given !== "") return given;
  try {
    return fs.readFileSync(`/sys/class/net/${flags.get("weave-bridge") ?? "weave"}/address`, "utf8").trim();
  } catch {
    let id = os.hostname();
    try {
      id = fs.readFileSync(`${flags.get("host-root") ?? ""}/etc/machine-id`, "utf8");
    } catch {
      // Use the host's name.
    }
    const bytes = createHash("sha256").update(id).digest().subarray(0, 6);
    bytes[0] = ((bytes[0] ?? 0) & 0xfe) | 2;
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  }
}

/** Keeps values in a file, or nowhere if its directory does not exist. */
function fileStore(file: string): Store {
  const read = (): Record<string, unknown> => {
    try {
      return JSON.parse(fs.readFileSync(file, "utf8")) as Record<string, unknown>;
    } catch {
      return {};
    }
  };
  return {
    load: (key) => read()[key],
    save: (key, value) => {
      if (fs.existsSync(path.dirname(file))) fs.writeFileSync(file, JSON.stringify({ ...read(), [key]: value }));
    },
  };
}

/** The MTU of the interface that has `address`, or Ethernet's. */
function underlayMtu(address: string): number {
  const [name = ""] =
    Object.entries(os.networkInterfaces()).find(([, all]) => all?.some((a) => a.address === address)) ?? [];
  try {
    return Number(fs.readFileSync(`/sys/class/net/${name}/mtu`, "utf8"));
  } catch {
    return 1500;
  }
}

/** The settings of a command line and the environment. `sentinel` exists if this container ran before. */
export function settingsOf(args: string[], directory: string, sentinel: string): RouterSettings {
  const { flags, peers } = parseFlags(args);
  const behaviour = (): Behaviour => readBehaviour(directory, process.env);
  const version = behaviour().version ?? "2.8.1";
  const family = versionFamily(version);
  const on = (flag: string): boolean => flags.get(flag) === "true" || flags.get(flag) === "1";
  const filled = (flag: string): string | undefined => flags.get(flag) || undefined;
  const dbPrefix = flags.get("db-prefix") ?? "/weavedb/weave";
  const store = fileStore(`${dbPrefix}-stand-in.json`);
  let targets = peers;
  // A restarted container keeps the targets it had, instead of those of its command line.
  const stored = store.load("targets");
  if (Array.isArray(stored) && (on("resume") || fs.existsSync(sentinel))) {
    targets = stored.map(String);
    log("INFO", `Restart/resume detected - using persisted peer list: [${targets.join(" ")}]`);
  } else {
    log("INFO", `Launch detected - using supplied peer list: [${targets.join(" ")}]`);
  }
  const trusted = filled("trusted-subnets")?.split(",") ?? [];
  const bad = trusted.find((subnet) => !parseCidr(subnet));
  if (bad !== undefined) throw new Error(`Unable to parse trusted subnets: invalid CIDR address: ${bad}`);
  const range = filled("ipalloc-range") ?? filled("iprange");
  if (range !== undefined && !parseCidr(range)) throw new Error(`invalid CIDR address: ${range}`);
  return {
    version,
    name: peerName(flags),
    nickName: filled("nickname") ?? os.hostname(),
    host: filled("host"),
    port: Number(flags.get("port") ?? 6783),
    // Up to 1.9 it listens on all addresses without being told (prog/weaver/main.go).
    httpAddress: filled("http-addr") ?? (family === "2.x" ? undefined : ":6784"),
    statusAddress: filled("status-addr"),
    password: filled("password") ?? (process.env["WEAVE_PASSWORD"] || undefined),
    trustedSubnets: trusted,
    peerDiscovery: !on("no-discovery") && !on("nodiscovery"),
    ipallocRange: range,
    ipallocDefaultSubnet: filled("ipalloc-default-subnet"),
    ipallocInit: filled("ipalloc-init"),
    dnsAddress: on("no-dns") || family === "1.0" ? undefined : (filled("dns-listen-address") ?? "0.0.0.0:53"),
    resolvConf: filled("resolv-conf"),
    proxyAddress: on("proxy") ? (filled("H") ?? "unix:///var/run/weave/weave.sock") : undefined,
    plugin: on("plugin"),
    fastdp: family === "2.x" ? !on("no-fastdp") : flags.has("datapath"),
    bridge: filled("weave-bridge"),
    dockerBridge: filled("docker-bridge"),
    dockerSocket: flags.has("weave-bridge") ? "/var/run/docker.sock" : undefined,
    targets,
    store,
    underlayMtu,
    carry: () => undefined,
    captured: () => ({ received: 0, macs: new Map() }),
    behaviour,
  };
}
