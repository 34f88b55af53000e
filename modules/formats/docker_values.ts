import { isIP } from "node:net";
import { splitAtEquals } from "../core/text";
import { isAtLeast, isFalse, isSwitch, isTrue, kindOf } from "./docker_options";

/** Docker's storage drivers on Linux up to 22 (docker info of 20.10; daemon/graphdriver of moby). */
const STORAGE_DRIVERS = ["aufs", "btrfs", "devicemapper", "fuse-overlayfs", "overlay", "overlay2", "vfs", "zfs"];

/** pflag reads a number that begins with 0 as an octal or hexadecimal one. */
const IS_DECIMAL = /^-?(0|[1-9]\d*)$/;
const isBetween =
  (least: number, most = 2 ** 31 - 1) =>
  (value: string): boolean =>
    IS_DECIMAL.test(value) && Number(value) >= least && Number(value) <= most;
/** Whether Go's net.ParseIP reads it: an address of one family, or (0) of any. */
const isAddress =
  (family: 0 | 4 | 6) =>
  (value: string): boolean =>
    !value.includes("%") && (family === 0 ? isIP(value) > 0 : isIP(value) === family);
const isSubnet =
  (family: 0 | 4 | 6) =>
  (value: string): boolean => {
    const [address = "", length = ""] = value.split("/");
    return isAddress(family)(address) && isBetween(0, isIP(address) === 4 ? 32 : 128)(length);
  };
const DOMAIN = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*";
/** As opts.ValidateDNSSearch, which has neither underscores nor addresses (moby, opts/opts.go). */
const isSearchDomain = (value: string): boolean =>
  value === "." || (/[A-Za-z]/.test(value) && value.length < 255 && new RegExp(`^${DOMAIN}\\.?$`).test(value));

const ULIMITS = "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack";
/** NAME=SOFT[:HARD], where -1 is unlimited (docker/go-units, ulimit.go). */
const isLimit = (value: string): boolean => {
  const [, name = "", soft = "", hard = soft] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(value) ?? [];
  const [least, most] = [Number(soft), Number(hard)];
  return ULIMITS.split(" ").includes(name) && soft !== "" && (most === -1 || (least !== -1 && least <= most));
};
/** A subnet that is split into others with a prefix length of `size` (moby, libnetwork/ipamutils/utils.go, splitNetworks). */
export const isPoolOf = (base: string, size: string): boolean =>
  isSubnet(0)(base) && isBetween(Number(base.replace(/.*\//, "")), base.includes(":") ? 128 : 32)(size);
const isPool = (value: string): boolean => {
  const { base = "", size = "", ...others } = Object.fromEntries(value.split(",").map(splitAtEquals));
  return Object.keys(others).length === 0 && isPoolOf(base, size);
};
const isPort = (text = "0"): boolean => /^\d{0,5}$/.test(text) && Number(text) < 65536;
/** As opts.ParseHost, without the path that newer versions reject, and of the protocols only those of Linux (opts/hosts.go). */
const isHost = (value: string): boolean => {
  const [, protocol = "tcp", rest = ""] = /^(?:(\w*):\/\/)?(.*)$/.exec(value) ?? [];
  if (protocol !== "tcp") return /^(fd|unix)$/.test(protocol) && !rest.includes("://");
  const [match, , ipv6 = "::", port] = /^(\[(.*)\]|[^\s:/?#@[\]%]*)(?::(.*))?$/.exec(rest) ?? [];
  return match !== undefined && isAddress(6)(ipv6) && isPort(port);
};
/** As LoadInsecureRegistries of registry/config.go. */
const isRegistry = (value: string): boolean => {
  const rest = value.replace(/^https?:\/\//i, "");
  const [, host = "", port] = /^(.*?)(?::(\d+))?$/.exec(rest) ?? [];
  return (
    isAddress(0)(rest) ||
    isSubnet(0)(rest) ||
    ((new RegExp(`^${DOMAIN}$`).test(host) || isAddress(6)(host.replace(/^\[(.*)\]$/, "$1"))) && isPort(port))
  );
};

/** Options, a value that dockerd accepts, in words, and how to tell. */
type Check = readonly [
  names: string,
  expected: string,
  accepts: RegExp | ((value: string, version: string | null) => boolean),
];

/**
 * What dockerd checks when it starts, without options of versions that can validate them themselves (20.10, cmd/dockerd/config.go, daemon/config/config.go and opts/ of moby), or, as an MTU,
 * when it creates its network.
 */
const CHECKS: readonly Check[] = [
  ["mtu", "a number from 68 to 65535", isBetween(68, 65535)],
  ["log-level", "debug, info, warn, error or fatal", /^(trace|debug|info|warn|warning|error|fatal|panic)$/i],
  ["default-ipc-mode", "private or shareable", /^(private|shareable)$/],
  ["default-cgroupns-mode", "host or private", /^(host|private)$/],
  ["oom-score-adjust", "a number from -1000 to 1000", isBetween(-1000, 1000)],
  ["max-concurrent-downloads max-concurrent-uploads", "a number from 0", isBetween(0)],
  // Since 23.0, 0 is its default.
  ["max-download-attempts", "a number from 1", (value, version) => isBetween(isAtLeast(version, 23) ? 0 : 1)(value)],
  ["shutdown-timeout", "a number from -1", isBetween(-1)],
  ["dns ip host-gateway-ip", "an IP address", isAddress(0)],
  ["default-gateway", "an IPv4 address", isAddress(4)],
  ["default-gateway-v6", "an IPv6 address", isAddress(6)],
  ["bip fixed-cidr", "an IPv4 address with a prefix length", isSubnet(4)],
  ["bip6 fixed-cidr-v6", "an IPv6 address with a prefix length", isSubnet(6)],
  [
    "label",
    "NAME=VALUE, not in com.docker, io.docker or org.dockerproject",
    /^(?!(com|io)\.docker\.|org\.dockerproject\.)[^=]+=/i,
  ],
  ["log-opt storage-opt node-generic-resource", "NAME=VALUE", /^[^=]+=/],
  [
    "exec-opt",
    "NAME=VALUE; native.cgroupdriver is cgroupfs or systemd",
    /^(?!native\.cgroupdriver=(?!(cgroupfs|systemd)?$))[^=]+=/,
  ],
  ["dns-search", "a domain name of letters, digits, hyphens and dots", isSearchDomain],
  ["bridge", "the name of an interface, of 15 characters at most", /^[^\s/]{1,15}$/],
  ["default-ulimit", "NAME=SOFT:HARD, such as nofile=1024:2048", isLimit],
  ["default-address-pool", "base=SUBNET,size=LENGTH, which is not less than the subnet's", isPool],
  ["default-shm-size", "a size such as 64M", /^\d+(\.\d+)? ?([kmgtp]?(i?b)?)$/i],
  ["add-runtime", "NAME=PATH, without the name runc", /^(?!runc=)[^=]+=/i],
  ["insecure-registry", "HOST:PORT or a subnet", isRegistry],
  [
    "registry-mirror",
    "a URL such as https://mirror.example",
    (value, version) =>
      /^https?:\/\/[^/?#@]+(\/[^?#]*)?$/.test(value) &&
      (version === null || isAtLeast(version, 24) || !/[^/]\/[^/]/.test(value)),
  ],
  ["host", "an address such as unix:///run/docker.sock, tcp://127.0.0.1:2376 or fd://", isHost],
];

/** What dockerd expects instead of this value, or null if it accepts it. An empty value that is not in a list is an option that is not set. */
export function expectedInstead(flag: string, value: string, version: string | null): string | null {
  const kind = kindOf(flag);
  if (value === "" && kind !== "list") return isSwitch(flag) ? "true or false" : null;
  if (kind === "switch") return isTrue(value) || isFalse(value) ? null : "true or false";
  // Later versions have drivers of containerd's, by any name.
  if (flag === "storage-driver" && !isAtLeast(version, 23)) {
    return STORAGE_DRIVERS.includes(value) ? null : STORAGE_DRIVERS.join(", ");
  }
  for (const [names, expected, accepts] of CHECKS) {
    if (!names.split(" ").includes(flag)) continue;
    return (accepts instanceof RegExp ? accepts.test(value) : accepts(value, version)) ? null : expected;
  }
  return kind === "number" && !IS_DECIMAL.test(value) ? "a number" : null;
}

/** Values that this module does not write, and that dockerd starts with all the same (20.10.24). */
const STARTS_WITH: ReadonlyMap<string, RegExp> = new Map([
  ["mtu", /^0$/],
  ["shutdown-timeout", /^-?\d+$/],
  // A plugin may have any name.
  ["storage-driver", /[/:]/],
]);

/** The same for a value that others have written: null if dockerd starts with it, though with another meaning than it seems. */
export function expectedToStart(flag: string, value: string, version: string | null): string | null {
  const inOtherBase = kindOf(flag) === "number" && /^[-+]?0[xob_\d]|_/i.test(value);
  return inOtherBase || STARTS_WITH.get(flag)?.test(value) ? null : expectedInstead(flag, value, version);
}
