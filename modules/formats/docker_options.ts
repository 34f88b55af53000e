import { isObject } from "../core/json";
import { splitAtEquals } from "../core/text";

/**
 * dockerd's options. Most have a name as a flag and as a key of daemon.json, and a form of their value in each (dockerd --help
 * of 1.6, 20.10 and 26.1; daemon/config/config.go of moby for the keys).
 */
export type Kind = "text" | "number" | "switch" | "list" | "map" | "structured" | "flag only";

/** Options by their flags' names, each with its values in order. An option without values is not set. */
export type DockerFlags = ReadonlyMap<string, readonly string[]>;

/** The options' names by their kind, separated by spaces. */
export const KINDS: Readonly<Record<Kind, string>> = {
  text:
    "api-cors-header bip bridge bridge-accept-fwmark cgroup-parent cluster-advertise cluster-store containerd " +
    "containerd-namespace containerd-plugins-namespace data-root default-cgroupns-mode default-gateway " +
    "default-gateway-v6 default-ipc-mode default-runtime default-shm-size exec-root firewall-backend fixed-cidr " +
    "fixed-cidr-v6 graph group host-gateway-ip init-path ip log-driver log-format log-level metrics-addr pidfile " +
    "seccomp-profile storage-driver swarm-default-advertise-addr tlscacert tlscert tlskey userland-proxy-path userns-remap",
  number:
    "cpu-rt-period cpu-rt-runtime max-concurrent-downloads max-concurrent-uploads max-download-attempts mtu " +
    "network-control-plane-mtu network-diagnostic-port oom-score-adjust shutdown-timeout",
  switch:
    "allow-direct-routing api-enable-cors debug disable-legacy-registry experimental icc init ip-forward " +
    "ip-forward-no-drop ip-masq ip6tables iptables ipv6 live-restore no-new-privileges raw-logs selinux-enabled tls " +
    "tlsverify userland-proxy",
  list:
    "allow-nondistributable-artifacts authorization-plugin cdi-spec-dir dns dns-opt dns-search exec-opt host " +
    "insecure-registry label node-generic-resource registry-mirror storage-opt",
  map: "cluster-store-opt log-opt",
  structured: "default-address-pool default-network-opt default-ulimit",
  "flag only":
    "add-runtime config-file cri-containerd daemon help http-proxy https-proxy no-proxy rootless validate version",
};

const KIND_OF: ReadonlyMap<string, Kind> = new Map(
  (Object.keys(KINDS) as Kind[]).flatMap((kind) => KINDS[kind].split(" ").map((name) => [name, kind] as const)),
);

/** The flags, beside the switches, whose value must follow "=". */
const BARE_FLAGS = new Set(["cri-containerd", "daemon", "help", "rootless", "validate", "version"]);

/** The keys of daemon.json that differ from the flag's name. */
const PLURALS: ReadonlyMap<string, string> = new Map([
  ["insecure-registry", "insecure-registries"],
  ...(
    "authorization-plugin cdi-spec-dir cluster-store-opt default-address-pool default-network-opt default-ulimit " +
    "dns-opt exec-opt host label log-opt node-generic-resource registry-mirror storage-opt"
  )
    .split(" ")
    .map((flag) => [flag, `${flag}s`] as const),
]);

const SINGULARS: ReadonlyMap<string, string> = new Map([...PLURALS].map(([flag, key]) => [key, flag]));

/** The kind of a flag; undefined for one that is not known here. */
export function kindOf(flag: string): Kind | undefined {
  return KIND_OF.get(flag);
}

/** Whether dockerd is known to have a flag of this name. */
export function isKnownOption(flag: string): boolean {
  return KIND_OF.has(flag);
}

/** Whether a flag's value must follow "=". */
export function isSwitch(flag: string): boolean {
  return KIND_OF.get(flag) === "switch" || BARE_FLAGS.has(flag);
}

/** An option's key in daemon.json. */
export function keyOf(flag: string): string {
  return PLURALS.get(flag) ?? flag;
}

/** The flag of a key of daemon.json. */
export function flagOf(key: string): string {
  return SINGULARS.get(key) ?? key;
}

/** The flag's values for a key of daemon.json, or null if it can't be written as a flag. */
export function flagValues(key: string, value: unknown): readonly string[] | null {
  switch (KIND_OF.get(flagOf(key))) {
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

/** The value of a flag's key in daemon.json, or undefined if it can't be written there. */
export function jsonValue(flag: string, values: readonly string[]): unknown {
  const last = values.at(-1) ?? "";
  switch (KIND_OF.get(flag)) {
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
  return Number.parseInt(version ?? "0", 10) >= major;
}
