import { isIP } from "node:net";
import { splitAtEquals } from "../core/text";
import { isAtLeast, isFalse, isSwitch, isTrue, kindOf } from "./docker_options";

/** Docker's storage drivers on Linux up to 22 (docker info of 20.10; daemon/graphdriver of moby). */
const STORAGE_DRIVERS = ["aufs", "btrfs", "devicemapper", "fuse-overlayfs", "overlay", "overlay2", "vfs", "zfs"];

/** pflag reads a number that begins with 0 as an octal or hexadecimal one. */
const IS_DECIMAL = /^-?(0|[1-9]\d*)$/;
const isBetween =
  (least: number, most: number) =>
  (value: string): boolean =>
    IS_DECIMAL.test(value) && Number(value) >= least && Number(value) <= most;
const isOneOf =
  (...names: readonly string[]) =>
  (value: string): boolean =>
    names.includes(value.toLowerCase());
const isPair = (value: string): boolean => /^[^=]+=/.test(value);
const isAddress = (value: string): boolean => isIP(value) !== 0;
export const isSubnet = (value: string): boolean => {
  const [address = "", length = ""] = value.split("/");
  return isIP(address) !== 0 && isBetween(0, isIP(address) === 4 ? 32 : 128)(length);
};
/** As opts.ValidateDNSSearch, which has neither underscores nor addresses (moby, opts/opts.go). */
export const isSearchDomain = (value: string): boolean =>
  value === "." ||
  (/[A-Za-z]/.test(value) &&
    value.length < 255 &&
    /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?$/.test(value));

const ULIMITS = "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack";
/** NAME=SOFT[:HARD], where -1 is unlimited (docker/go-units, ulimit.go). */
const isLimit = (value: string): boolean => {
  const [, name = "", soft = "", hard = soft] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(value) ?? [];
  const [least, most] = [Number(soft), Number(hard)];
  return ULIMITS.split(" ").includes(name) && soft !== "" && (most === -1 || (least !== -1 && least <= most));
};
const isPool = (value: string): boolean => {
  const fields = new Map(value.split(",").map(splitAtEquals));
  const size = fields.get("size");
  return (
    [...fields.keys()].every((name) => ["base", "size", "scope"].includes(name)) &&
    isSubnet(fields.get("base") ?? "") &&
    (size === undefined || isBetween(0, 128)(size))
  );
};
const isSize = (value: string): boolean => /^\d+(\.\d+)? ?([kmgtp]?(i?b)?)$/i.test(value);
const isExecOption = (value: string): boolean =>
  isPair(value) && (!value.startsWith("native.cgroupdriver=") || /=(cgroupfs|systemd)?$/.test(value));

/** A value that dockerd accepts, in words, and how to tell. */
interface Check {
  readonly expected: string;
  readonly accepts: (value: string) => boolean;
}

const ADDRESS: Check = { expected: "an IP address", accepts: isAddress };
const SUBNET: Check = { expected: "an address with a prefix length", accepts: isSubnet };
const PAIR: Check = { expected: "NAME=VALUE", accepts: isPair };
const COUNT: Check = { expected: "a number from 0", accepts: isBetween(0, 2 ** 31 - 1) };

/**
 * What dockerd checks when it starts (20.10, cmd/dockerd/config.go, daemon/config/config.go and opts/ of moby), or, as an MTU,
 * when it makes its network.
 */
const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["mtu", { expected: "a number from 68 to 65535", accepts: isBetween(68, 65535) }],
  [
    "network-control-plane-mtu",
    { expected: "0, or a number from 500 to 65535", accepts: (value) => value === "0" || isBetween(500, 65535)(value) },
  ],
  [
    "log-level",
    {
      expected: "debug, info, warn, error or fatal",
      accepts: isOneOf("trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"),
    },
  ],
  ["log-format", { expected: "text or json", accepts: isOneOf("text", "json") }],
  ["default-ipc-mode", { expected: "private or shareable", accepts: isOneOf("private", "shareable") }],
  ["default-cgroupns-mode", { expected: "host or private", accepts: isOneOf("host", "private") }],
  ["oom-score-adjust", { expected: "a number from -1000 to 1000", accepts: isBetween(-1000, 1000) }],
  ["max-concurrent-downloads", COUNT],
  ["max-concurrent-uploads", COUNT],
  ["max-download-attempts", COUNT],
  ["shutdown-timeout", { expected: "a number from -1", accepts: isBetween(-1, 2 ** 31 - 1) }],
  ["dns", ADDRESS],
  ["ip", ADDRESS],
  ["default-gateway", ADDRESS],
  ["default-gateway-v6", ADDRESS],
  ["bip", SUBNET],
  ["fixed-cidr", SUBNET],
  ["fixed-cidr-v6", SUBNET],
  ["label", PAIR],
  ["log-opt", PAIR],
  ["storage-opt", PAIR],
  ["exec-opt", { expected: "NAME=VALUE; native.cgroupdriver is cgroupfs or systemd", accepts: isExecOption }],
  ["dns-search", { expected: "a domain name of letters, digits, hyphens and dots", accepts: isSearchDomain }],
  ["host-gateway-ip", ADDRESS],
  [
    "bridge",
    {
      expected: "the name of an interface, of 15 characters at most",
      accepts: (value) => /^[^\s/]{1,15}$/.test(value),
    },
  ],
  ["default-ulimit", { expected: "NAME=SOFT:HARD, such as nofile=1024:2048", accepts: isLimit }],
  ["default-address-pool", { expected: "base=SUBNET,size=LENGTH", accepts: isPool }],
  ["default-shm-size", { expected: "a size such as 64M", accepts: isSize }],
  [
    "add-runtime",
    { expected: "NAME=PATH, without the name runc", accepts: (value) => isPair(value) && !/^runc=/i.test(value) },
  ],
  ["node-generic-resource", PAIR],
  ["registry-mirror", { expected: "a URL", accepts: (value) => /^https?:\/\/[^/?#]+\/?$/.test(value) }],
  [
    "host",
    {
      expected: "an address such as unix:///run/docker.sock, tcp://127.0.0.1:2376 or fd://",
      accepts: (value) => /^(unix|tcp|fd|npipe|ssh):\/\/|^[^:/]*:\d+$/.test(value),
    },
  ],
]);

/** What dockerd expects instead of this value, or null if it accepts it. An empty value is an option that is not set. */
export function expectedInstead(flag: string, value: string, version: string | null): string | null {
  if (value === "") return isSwitch(flag) ? "true or false" : null;
  if (kindOf(flag) === "switch") {
    return isTrue(value) || isFalse(value) ? null : "true or false";
  }
  // Later versions have drivers of containerd's, by any name.
  if (flag === "storage-driver" && !isAtLeast(version, 23)) {
    return STORAGE_DRIVERS.includes(value) ? null : STORAGE_DRIVERS.join(", ");
  }
  const check = CHECKS.get(flag);
  if (check !== undefined) return check.accepts(value) ? null : check.expected;
  return kindOf(flag) === "number" && !IS_DECIMAL.test(value) ? "a number" : null;
}

/** Values that this module does not write, and that dockerd starts with all the same (20.10.24). */
const STARTS_WITH: ReadonlyMap<string, RegExp> = new Map([
  ["mtu", /^0$/],
  ["network-control-plane-mtu", /^-?\d+$/],
  ["shutdown-timeout", /^-?\d+$/],
  // A plugin may have any name.
  ["storage-driver", /[/:]/],
]);

/** The same for a value that others have written: null if dockerd starts with it, though with another meaning than it seems. */
export function expectedToStart(flag: string, value: string, version: string | null): string | null {
  const inOtherBase = kindOf(flag) === "number" && /^[-+]?0[xob_\d]|_/i.test(value);
  return inOtherBase || STARTS_WITH.get(flag)?.test(value) ? null : expectedInstead(flag, value, version);
}
