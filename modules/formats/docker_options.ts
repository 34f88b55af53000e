import { isObject } from "../core/json";
import { splitAtEquals } from "../core/text";

/**
 * dockerd's options. Most have a name as a flag and as a key of daemon.json, and a form of their value in each (of moby,
 * v1.6 to v29: cmd/dockerd/config*.go for the flags, daemon/config/config*.go for the keys).
 */
export type Kind = "text" | "number" | "switch" | "list" | "map" | "structured" | "flag only";

/** Options by their flags' names, each with its values in order. An option without values is not set. */
export type DockerFlags = ReadonlyMap<string, readonly string[]>;

/** The options' names by their kind, separated by spaces. The build writes them into the role's filter too. */
export const KINDS: Readonly<Record<Kind, string>> = {
  text:
    "api-cors-header bip bip6 bridge bridge-accept-fwmark cgroup-parent cluster-advertise cluster-store containerd " +
    "containerd-namespace data-root default-cgroupns-mode default-gateway default-gateway-v6 default-ipc-mode " +
    "default-runtime default-shm-size exec-root firewall-backend fixed-cidr fixed-cidr-v6 graph group " +
    "init-path ip log-driver log-format log-level metrics-addr pidfile seccomp-profile storage-driver " +
    "swarm-default-advertise-addr tlscacert tlscert tlskey userland-proxy-path userns-remap",
  number:
    "cpu-rt-period cpu-rt-runtime default-stop-timeout max-concurrent-downloads max-concurrent-uploads " +
    "max-download-attempts mtu network-control-plane-mtu network-diagnostic-port oom-score-adjust shutdown-timeout",
  switch:
    "allow-direct-routing api-enable-cors cri-containerd debug disable-legacy-registry experimental icc init ip-forward " +
    "ip-forward-no-drop ip-masq ip6tables iptables ipv6 live-restore no-new-privileges raw-logs restart rootless " +
    "selinux-enabled tls tlsverify userland-proxy",
  list:
    "allow-nondistributable-artifacts authorization-plugin cdi-spec-dir dns dns-opt dns-search exec-opt host " +
    "host-gateway-ip insecure-registry label node-generic-resource registry-mirror storage-opt",
  map: "cluster-store-opt log-opt",
  structured: "add-runtime default-address-pool default-network-opt default-ulimit feature nri-opts",
  // dockerd accepts the names of these as keys too, without effect: proxies are in an object, and the plugins' namespace has
  // another key, which dockerd rejects.
  "flag only": "config-file containerd-plugins-namespace daemon help http-proxy https-proxy no-proxy validate version",
};

const KIND_OF: ReadonlyMap<string, Kind> = new Map(
  (Object.keys(KINDS) as Kind[]).flatMap((kind) => KINDS[kind].split(" ").map((name) => [name, kind] as const)),
);

/** Where not all versions from 18.09 on have an option: the first major version with it, and the first without it. */
const VERSIONS: readonly (readonly [names: string, first: number, end: number])[] = [
  ["api-enable-cors daemon", 0, 18],
  ["disable-legacy-registry", 0, 19],
  ["default-cgroupns-mode host-gateway-ip ip6tables max-download-attempts", 20, 99],
  [
    "allow-direct-routing bip6 bridge-accept-fwmark cdi-spec-dir default-network-opt default-stop-timeout feature " +
      "firewall-backend http-proxy https-proxy ip-forward-no-drop log-format no-proxy nri-opts validate",
    23,
    99,
  ],
];

/** The flags, beside the switches, whose value must follow "=". */
export const BARE_FLAGS = new Set(["daemon", "help", "validate", "version"]);

/** One address in each version, and since 28.0 a list under a key of its own. */
const [GATEWAY, GATEWAYS] = ["host-gateway-ip", "host-gateway-ips"];

/** Those of daemon.json's keys for more than one value that are not the flag's name with an "s". */
const IRREGULAR = new Map([
  ["insecure-registry", "insecure-registries"],
  ["add-runtime", "runtimes"],
  ...["allow-nondistributable-artifacts", "dns", "dns-search", GATEWAY, "nri-opts"].map(
    (name) => [name, name] as const,
  ),
]);

/** The keys of daemon.json that differ from the flag's name, by that. */
const PLURALS: ReadonlyMap<string, string> = new Map(
  [...KIND_OF]
    .filter(([flag, kind]) => /^(list|map|structured)$/.test(kind) && IRREGULAR.get(flag) !== flag)
    .map(([flag]) => [flag, IRREGULAR.get(flag) ?? `${flag}s`]),
);

/** Flags with each key that differs from their name. */
export const KEYS: readonly (readonly [flag: string, key: string])[] = [...PLURALS, [GATEWAY, GATEWAYS]];

const SINGULARS: ReadonlyMap<string, string> = new Map(KEYS.map(([flag, key]) => [key, flag]));

/** The kind of a flag; undefined for one that is not known here. */
export function kindOf(flag: string): Kind | undefined {
  return KIND_OF.get(flag);
}

/** The kind of a key of daemon.json. */
export function kindOfKey(key: string): Kind | undefined {
  return key === GATEWAY ? "text" : KIND_OF.get(flagOf(key));
}

/** Whether dockerd is known to have a flag of this name. */
export function isKnownOption(flag: string): boolean {
  return KIND_OF.has(flag);
}

/**
 * Whether a dockerd of this version is known to reject a flag. From 23.0 on, dockerd reports it itself (--validate), and those before
 * 18.09 are often a vendor's own, with more options (RHEL's 1.13).
 */
export function isRejected(flag: string, version: string | null): boolean {
  const [, first = 0, end = 99] = VERSIONS.find(([names]) => names.split(" ").includes(flag)) ?? [];
  const major = majorOf(version);
  return major >= 18 && !canValidate(version) && (!KIND_OF.has(flag) || major < first || major >= end);
}

/** Whether dockerd validates a configuration without running with it (--validate). */
export function canValidate(version: string | null): boolean {
  return isAtLeast(version, 23);
}

/** Whether a flag needs no value; if it has one, that must follow "=". */
export function isSwitch(flag: string): boolean {
  return KIND_OF.get(flag) === "switch" || BARE_FLAGS.has(flag);
}

/** The key in daemon.json of an option with these values. */
export function keyOf(flag: string, values: readonly string[] = []): string {
  return flag === GATEWAY && values.length > 1 ? GATEWAYS : (PLURALS.get(flag) ?? flag);
}

/** The flag of a key of daemon.json. */
export function flagOf(key: string): string {
  return SINGULARS.get(key) ?? key;
}

/** Whether a key of daemon.json is a flag's name whose option has another key: dockerd accepts it, without effect. */
export function hasNoEffect(key: string): boolean {
  return PLURALS.has(key);
}

/** The flag's values for a key of daemon.json, or null if it can't be written as a flag. */
export function flagValues(key: string, value: unknown): readonly string[] | null {
  switch (kindOfKey(key)) {
    case "switch":
      return typeof value === "boolean" ? [String(value)] : null;
    case "text":
    case "number":
      return typeof value === "string" || typeof value === "number" ? [String(value)] : null;
    case "list":
      return Array.isArray(value) && value.every((each) => typeof each === "string") ? value : null;
    case "map":
      return isObject(value) ? Object.entries(value).map(([name, each]) => `${name}=${String(each)}`) : null;
    default:
      return null;
  }
}

/** The value of a key in daemon.json for a flag's values, or undefined if it can't be written there. */
export function jsonValue(key: string, values: readonly string[]): unknown {
  const last = values.at(-1) ?? "";
  switch (kindOfKey(key)) {
    case "switch":
      return isTrue(last);
    case "number":
      return /^-?\d+$/.test(last) ? Number(last) : undefined;
    case "text":
      return last;
    case "list":
      return values;
    case "map":
      return Object.fromEntries(values.map(splitAtEquals));
    default:
      return undefined;
  }
}

/** The lists whose order matters to Docker. */
const IN_ORDER = new Set(["dns", "dns-search", "registry-mirror"]);

/** In bytes, of a network without one. */
export const DEFAULT_MTU = "1500";

/** dockerd's defaults (dockerd --help). That of ip6tables depends on the version. */
const DEFAULTS: DockerFlags = new Map<string, readonly string[]>([
  ["bridge", ["docker0"]],
  ["mtu", [DEFAULT_MTU]],
  ["log-level", ["info"]],
  ...["icc", "ip-forward", "ip-masq", "iptables", "userland-proxy"].map((name) => [name, ["true"]] as const),
  ...["debug", "experimental", "init", "ipv6", "live-restore", "no-new-privileges", "raw-logs", "selinux-enabled"].map(
    (name) => [name, ["false"]] as const,
  ),
]);

/** Whether two values of an option have the same meaning to dockerd; undefined is an option that is not given. */
export function meansTheSame(
  flag: string,
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
): boolean {
  return sameValues(meaning(flag, a), meaning(flag, b));
}

/** Whether two lists of values are the same. */
function sameValues(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

function meaning(flag: string, values: readonly string[] = []): readonly string[] {
  const kind = KIND_OF.get(flag);
  if (kind === "list" || kind === "map") return IN_ORDER.has(flag) ? values : [...values].sort();
  if (kind !== "text" && kind !== "number" && kind !== "switch") return values;
  // The last value counts, and an empty one means not set.
  const last = values.at(-1) ?? "";
  if (last === "") return DEFAULTS.get(flag) ?? [];
  return [kind === "switch" ? String(isTrue(last)) : last];
}

/** As Go's strconv.ParseBool, which reads dockerd's flags. */
export function isTrue(value: string): boolean {
  return /^(1|t|T|TRUE|true|True)$/.test(value);
}

/** The same for false. Neither holds for what dockerd rejects. */
export function isFalse(value: string): boolean {
  return /^(0|f|F|FALSE|false|False)$/.test(value);
}

/** Whether a version of Docker, such as 20.10.24, is this major one or a later one; not if it is unknown. */
export function isAtLeast(version: string | null, major: number): boolean {
  return majorOf(version) >= major;
}

/** 0 if it is unknown. */
function majorOf(version: string | null): number {
  return Number.parseInt(version ?? "0", 10);
}
