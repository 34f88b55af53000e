import {
  type Guard,
  isBoolean,
  isObject,
  isOptional,
  isString,
  isListOf as listOf,
  isMapOf as mapOf,
} from "../core/json";
import { flagOf, hasNoEffect, isRejected, kindOfKey } from "./docker_options";
import { isPoolOf } from "./docker_values";

// Go leaves a field as it is for null.
const isText = isOptional(isString);
const isTruth = isOptional(isBoolean);
const isWhole = isOptional((value: unknown): value is number => Number.isInteger(value));
const isListOf = <T>(guard: Guard<T>): Guard<unknown> => isOptional(listOf(guard));
const isMapOf = <T>(guard: Guard<T>): Guard<unknown> => isOptional(mapOf(guard));
/** A Go object, whose fields are found by their names in any case. */
const hasFields = (guards: Readonly<Record<string, Guard<unknown>>>): Guard<unknown> =>
  isOptional(
    (value: unknown): value is object =>
      isObject(value) && Object.entries(value).every(([name, each]) => guards[name.toLowerCase()]?.(each) ?? true),
  );

interface Structure {
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
}

/** The keys that have no flag of their form, and that not only versions have which can validate them (moby, daemon/config/config.go). */
const STRUCTURES: ReadonlyMap<string, Structure> = new Map<string, Structure>([
  ["features", { expected: "an object whose values are true or false, without quotes", accepts: isMapOf(isTruth) }],
  [
    "runtimes",
    {
      expected: 'an object of objects with "path" (a text) and "runtimeArgs" (a list of texts), without the name runc',
      accepts: (value) =>
        isMapOf(hasFields({ path: isText, runtimeargs: isListOf(isText), runtimetype: isText }))(value) &&
        !(isObject(value) && Object.hasOwn(value, "runc")),
    },
  ],
  [
    "default-address-pools",
    {
      expected:
        'a list of objects with "base" (a subnet) and "size" (a number, not less than the subnet\'s prefix length)',
      accepts: isListOf((pool): pool is object => {
        const fields = isObject(pool) ? Object.entries(pool).map(([name, each]) => [name.toLowerCase(), each]) : [];
        const { base, size } = Object.fromEntries(fields);
        return isString(base) && Number.isInteger(size) && isPoolOf(base, String(size));
      }),
    },
  ],
  [
    "default-ulimits",
    {
      expected: 'an object of objects with "Name" (a text), "Hard" and "Soft" (numbers)',
      accepts: isMapOf(hasFields({ name: isText, hard: isWhole, soft: isWhole })),
    },
  ],
  [
    "builder",
    {
      expected: 'an object with "gc", whose "enabled" is true or false, without quotes',
      accepts: hasFields({
        gc: hasFields({ enabled: isTruth, defaultkeepstorage: isText, policy: isListOf(isObject) }),
      }),
    },
  ],
]);

/** The keys that dockerd knows although it has no flag of their name (20.10, daemon/config/config.go: skipValidateOptions). */
const WITHOUT_FLAG = new Set(["features", "builder", "deprecated-key-path"]);

/** Whether a dockerd of this version is known to reject a key of daemon.json. */
export function isRejectedKey(key: string, version: string | null): boolean {
  // Each version has host-gateway-ip.
  return !WITHOUT_FLAG.has(key) && isRejected(key === "host-gateway-ips" ? key : flagOf(key), version);
}

/** What type a key of daemon.json must have, if its value has another one; null otherwise, and for keys that are not known here. */
export function expectedType(key: string, value: unknown): string | null {
  if (value === null || hasNoEffect(key)) return null;
  const structure = STRUCTURES.get(key);
  if (structure !== undefined) return structure.accepts(value) ? null : structure.expected;
  switch (kindOfKey(key)) {
    case "switch":
      return typeof value === "boolean" ? null : "true or false, without quotes";
    case "number":
      return Number.isInteger(value) ? null : "a number, without quotes";
    case "text":
      return typeof value === "string" ? null : "a text in quotes";
    case "list":
      return listOf(isString)(value) ? null : "a list of texts";
    case "map":
      return mapOf(isString)(value) ? null : "an object whose values are texts in quotes";
    default:
      return null;
  }
}
