import type { Action } from "../core/change";
import { UserError, withSubject } from "../core/errors";
import { redactSecrets } from "../core/redact";
import { splitAtEquals } from "../core/text";
import { daemonKeys, daemonOptions, nonIntegers } from "../formats/daemon_json";
import { expectedType, mayBeKey } from "../formats/daemon_json_types";
import { parseDockerFlags } from "../formats/docker_flags";
import { type DockerFlags, flagOf, isAtLeast, isKnownOption, isTrue, meansTheSame } from "../formats/docker_options";
import { expectedInstead, expectedToStart } from "../formats/docker_values";
import { contains, ipv4Network, networkOf } from "../net/ipv4";
import { argumentsOf, type Configuration, dockerOptsWords, flagsOf, optionsOf } from "./configuration";
import type { ObservedDocker } from "./observed";
import { runningOptions } from "./pending_restart";
import { originsOf } from "./service/command_line";

/** From this version on, dockerd validates a configuration without running with it (--validate). */
const VALIDATES_SINCE = 23;

function canValidate(version: string | null): boolean {
  return isAtLeast(version, VALIDATES_SINCE);
}

/** Throws a UserError for a subnet outside the bridge's network: dockerd only warns of it, and hosts then assign the same addresses. */
export function requireSubnetOfBridge(flags: DockerFlags, bridgeAddress: string | null): void {
  const [subnet] = flags.get("fixed-cidr") ?? [];
  if (subnet === undefined) return;
  withSubject("fixed-cidr", () => ipv4Network(subnet));
  if (bridgeAddress !== null) requireSubnetOf(bridgeAddress, subnet);
}

/** Throws a UserError for a subnet outside the network of a bridge with this address. */
export function requireSubnetOf(bridgeAddress: string, subnet: string): void {
  if (contains(networkOf(bridgeAddress), subnet)) return;
  throw new UserError(
    `fixed_cidr: must be in the bridge's network ${networkOf(bridgeAddress)}, or dockerd ignores it and assigns addresses that ` +
      `other hosts use (found ${subnet}; the bridge has ${bridgeAddress}). Set a subnet of that network.`,
  );
}

/** The flags that make dockerd print something and end, or read other files than this module writes. */
const NEVER: ReadonlyMap<string, string> = new Map([
  ...["help", "validate", "version"].map((name) => [name, "dockerd ends at once"] as const),
  ["config-file", "dockerd does not read the options in its present file then"],
  ["daemon", "dockerd does not start then"],
]);

/** Throws a UserError for an option or a value that dockerd does not accept. */
export function requireValidOptions(flags: DockerFlags, version: string | null): void {
  for (const [name, values] of flags) {
    const never = NEVER.get(name);
    if (never !== undefined) throw new UserError(`opts: must not have --${name}, as ${never} (found it). Remove it.`);
    if (!isKnownOption(name) && !canValidate(version)) {
      throw new UserError(
        `opts: must have options of dockerd only (found --${name}). Correct its name, or set it in Docker's own files by hand.`,
      );
    }
    for (const value of values) {
      const expected = expectedInstead(name, value, version);
      if (expected === null) continue;
      throw new UserError(`opts: --${name} must be ${expected} (found "${redactSecrets(value)}"). Correct it.`);
    }
  }
}

/** Throws a UserError for a key of daemon.json that dockerd does not know, or whose value has another type than it reads. */
function requireValidKeys(config: string, configPath: string, version: string | null): void {
  const nonInteger = nonIntegers(config);
  for (const [key, value] of daemonKeys(config)) {
    if (version !== null && !canValidate(version) && !mayBeKey(key, value)) {
      throw new UserError(
        `${configPath}: must have options of dockerd only, or it does not start (found "${key}"). Correct or remove it.`,
      );
    }
    const number = nonInteger.get(key);
    const expected =
      expectedType(key, value) ??
      (number === undefined ? null : `written without ${number}, which is not a whole number`);
    if (expected === null) continue;
    throw new UserError(
      `${configPath}: "${key}" must be ${expected}, or dockerd does not start (found another value). Correct it.`,
    );
  }
}

/** A configuration that dockerd is about to start with, and what it is compared with. */
type Start = Pick<ObservedDocker, "configPath" | "daemon" | "service" | "version">;

/**
 * Throws a UserError if dockerd would not start with the configuration, whoever has written it, and names the place. What the
 * running daemon has is accepted, as it has started with that.
 */
export function requireStartable(configuration: Configuration, { configPath, daemon, service, version }: Start): void {
  requireValidKeys(configuration.config, configPath, version);
  rejectConflicts(configuration, configPath);
  const running: DockerFlags = daemon === null ? new Map() : runningOptions(daemon);
  const changed = (name: string, values: readonly string[]): boolean =>
    !running.has(name) || !meansTheSame(name, running.get(name), values);
  const sources: [flags: DockerFlags, placeOf: (name: string) => string][] = [
    [daemonOptions(configuration.config), () => configPath],
    [parseDockerFlags(dockerOptsWords(configuration)), () => service.filePath],
    [
      parseDockerFlags(configuration.otherArguments),
      (name) => originsOf(configuration.otherArguments, new Set([name]))[0] ?? configPath,
    ],
  ];
  for (const [flags, placeOf] of sources) {
    for (const [name, values] of flags) {
      if (!changed(name, values)) continue;
      const isFlag = placeOf(name) !== configPath;
      if (isFlag && version !== null && !canValidate(version) && !isKnownOption(name)) {
        throw new UserError(
          `${placeOf(name)}: must have options of dockerd only, or it does not start (found --${name}). Correct or remove it.`,
        );
      }
      for (const value of values) {
        const expected = expectedToStart(name, value, version);
        if (expected === null) continue;
        throw new UserError(
          `${placeOf(name)}: --${name} must be ${expected}, or dockerd does not start (found ${redactSecrets(`--${name}=${value}`)}). Correct it.`,
        );
      }
    }
  }
  const options = optionsOf(configuration);
  requireConsistentLabels(options.get("label") ?? []);
  if (changed("tlsverify", options.get("tlsverify") ?? ["false"])) requireCertificates(options);
}

/** As GetConflictFreeLabels (moby, daemon/config/config.go). */
function requireConsistentLabels(labels: readonly string[]): void {
  for (const [index, label] of labels.entries()) {
    const [name] = splitAtEquals(label);
    const other = labels.slice(0, index).find((each) => each !== label && splitAtEquals(each)[0] === name);
    if (other === undefined) continue;
    throw new UserError(
      `label: ${name} must have one value, or dockerd does not start (found ${redactSecrets(`${other} and ${label}`)}). Remove one.`,
    );
  }
}

/** Without these, dockerd searches them in the home directory of whoever starts it, which systemd does not set. */
function requireCertificates(options: DockerFlags): void {
  if (!isTrue(options.get("tlsverify")?.at(-1) ?? "")) return;
  const missing = ["tlscacert", "tlscert", "tlskey"].filter((name) => (options.get(name)?.at(-1) ?? "") === "");
  if (missing.length === 0) return;
  throw new UserError(
    `tlsverify: needs --tlscacert, --tlscert and --tlskey (found no --${missing.join(" and no --")}). Set all of them.`,
  );
}

/** Throws a UserError for options that conflict, so that dockerd would not start. */
export function rejectConflicts(configuration: Configuration, configPath: string): void {
  const [flags, keys] = [flagsOf(configuration), daemonKeys(configuration.config)];
  // dockerd merges the runtimes of both (moby, daemon/config/config.go, skipDuplicates).
  const twice = [...keys].filter(([key]) => key !== "runtimes" && flags.has(flagOf(key)));
  if (twice.length > 0) {
    const names = new Set(twice.map(([key]) => flagOf(key)));
    const each = twice.map(
      ([key, value]) => `${key}: (from flag: ${render(flags.get(flagOf(key)))}, from file: ${render(value)})`,
    );
    throw new UserError(
      `${configPath}: must not have options of dockerd's command line, or dockerd does not start (found ${each.join(", ")}). ` +
        `Remove them there, or from the command line${placesOf(configuration, names)}.`,
    );
  }
  const options = optionsOf(configuration);
  const bridge = options.get("bridge")?.at(-1) ?? "";
  if ((options.get("bip")?.at(-1) ?? "") !== "" && bridge !== "") {
    throw new UserError(
      `opts: bip and bridge must not both be set, or dockerd does not start (found bip ${options.get("bip")?.at(-1)} and bridge ` +
        `${bridge}). Remove bip: it sets the address of docker0.`,
    );
  }
}

/** Where the unit sets these flags. */
function placesOf({ otherArguments }: Configuration, names: ReadonlySet<string>): string {
  const places = originsOf(otherArguments, names);
  return places.length > 0 ? ` (${places.join("; ")})` : "";
}

function render(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return redactSecrets(Array.isArray(value) ? `[${value.join(" ")}]` : text);
}

/** Throws a UserError if dockerd would no longer serve the socket that systemd opens for it: its clients would hang. */
export function requireSystemdSocket(present: Configuration, desired: Configuration): void {
  const [before, after] = [present, desired].map((configuration) => optionsOf(configuration).get("host") ?? []);
  if (!before?.includes("fd://") || after?.includes("fd://")) return;
  throw new UserError(
    `opts: --host must keep fd://, the socket that systemd opens for dockerd (found ${after?.join(", ")}). Add --host=fd://.`,
  );
}

/** Lets dockerd validate the configuration, where its version can do that and its arguments are known. Otherwise no action. */
export function validateByDocker(configuration: Configuration, version: string | null): Action[] {
  const { unit } = configuration;
  if (unit === null || !canValidate(version) || flagsOf(configuration).has("config-file")) return [];
  const argv = [unit.program, ...argumentsOf(configuration).map(({ value }) => value)];
  const content = configuration.config.trim() === "" ? "{}" : configuration.config;
  return [{ do: "validate", content, argv: [...argv, "--validate", "--config-file", "%s"] }];
}
