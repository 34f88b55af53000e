import { isIP } from "node:net";
import { isObject } from "../core/json";
import { flagOf, isSwitch, jsonValue, kindOf } from "./docker_options";

/** Docker's storage drivers on Linux up to 22 (docker info of 20.10; daemon/graphdriver of moby). */
const STORAGE_DRIVERS = ["aufs", "btrfs", "devicemapper", "fuse-overlayfs", "overlay", "overlay2", "vfs", "zfs"];

const isBetween =
  (least: number, most: number) =>
  (value: string): boolean =>
    /^-?\d+$/.test(value) && Number(value) >= least && Number(value) <= most;
const isOneOf =
  (...names: readonly string[]) =>
  (value: string): boolean =>
    names.includes(value.toLowerCase());
const isPair = (value: string): boolean => /^[^=]+=/.test(value);
const isAddress = (value: string): boolean => isIP(value) !== 0;
const isSubnet = (value: string): boolean => {
  const [address = "", length = ""] = value.split("/");
  return isIP(address) !== 0 && isBetween(0, isIP(address) === 4 ? 32 : 128)(length);
};

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
  ["exec-opt", PAIR],
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
    return /^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value) ? null : "true or false";
  }
  // Later versions have drivers of containerd's, by any name.
  if (flag === "storage-driver" && !(Number.parseInt(version ?? "0", 10) >= 23)) {
    return STORAGE_DRIVERS.includes(value) ? null : STORAGE_DRIVERS.join(", ");
  }
  const check = CHECKS.get(flag);
  if (check !== undefined) return check.accepts(value) ? null : check.expected;
  return kindOf(flag) === "number" && jsonValue(flag, [value]) === undefined ? "a number" : null;
}

/** What type a key of daemon.json must have, if its value has another one; null otherwise, and for keys that are not known here. */
export function expectedType(key: string, value: unknown): string | null {
  // Go leaves a field as it is for null.
  if (value === null) return null;
  switch (kindOf(flagOf(key))) {
    case "switch":
      return typeof value === "boolean" ? null : "true or false, without quotes";
    case "number":
      return Number.isInteger(value) ? null : "a number, without quotes";
    case "text":
      return typeof value === "string" || key === "default-shm-size" ? null : "a text in quotes";
    case "list":
      return Array.isArray(value) && value.every((each) => typeof each === "string") ? null : "a list of texts";
    case "map":
      return isObject(value) && Object.values(value).every((each) => typeof each === "string")
        ? null
        : "an object whose values are texts in quotes";
    default:
      return null;
  }
}
