import { toText } from "../core/bytes";
import type { Action } from "../core/change";
import { UserError } from "../core/errors";
import { redactSecrets } from "../core/redact";
import { splitAtEquals } from "../core/text";
import { comparedKeys, daemonKeys, daemonOptions, nonIntegers } from "../formats/daemon_json";
import { expectedType, isRejectedKey } from "../formats/daemon_json_types";
import { parseDockerFlags } from "../formats/docker_flags";
import { canValidate, type DockerFlags, isFalse, isRejected, isTrue, meansTheSame } from "../formats/docker_options";
import { expectedInstead, expectedToStart } from "../formats/docker_values";
import { listSettings } from "../formats/systemd_unit";
import { argumentsOf, type Configuration, dockerOptsWords, flagsOf, optionsOf } from "./configuration";
import { rejectConflicts, wouldNotStart } from "./conflicts";
import type { ObservedDocker } from "./observed";
import { runningOptions } from "./pending_restart";
import { originsOf } from "./service/command_line";

/** The flags that make dockerd print something and end, or read other files than this module writes. */
const REJECTED_FLAGS: ReadonlyMap<string, string> = new Map([
  ...["help", "validate", "version"].map((name) => [name, "dockerd ends at once"] as const),
  ["config-file", "dockerd does not read the options in its present file then"],
  ["daemon", "dockerd does not start then"],
]);

/** Throws a UserError for an option or a value that dockerd does not accept. */
export function requireValidOptions(flags: DockerFlags, version: string | null): void {
  for (const [name, values] of flags) {
    const reason = REJECTED_FLAGS.get(name);
    if (reason !== undefined) throw new UserError(`opts: must not have --${name}, as ${reason} (found it). Remove it.`);
    if (isRejected(name, version)) throw rejected("opts", `--${name}`);
    for (const value of values) {
      const expected = expectedInstead(name, value, version);
      if (expected === null) continue;
      throw new UserError(`opts: --${name} must be ${expected} (found "${redactSecrets(value)}"). Correct it.`);
    }
  }
}

function rejected(place: string, name: string): UserError {
  return wouldNotStart(`${place}: must have options of dockerd only`, name, "Correct or remove it.");
}

/** Throws a UserError for a key of daemon.json that dockerd does not know, or whose value has another type than it reads. */
function requireValidKeys(config: string, configPath: string, version: string | null): void {
  const nonInteger = nonIntegers(config);
  for (const key of comparedKeys(config).keys()) {
    if (isRejectedKey(key, version)) throw rejected(configPath, `"${key}"`);
  }
  for (const [key, value] of daemonKeys(config)) {
    const number = nonInteger.get(key);
    const expected =
      expectedType(key, value) ??
      (number === undefined ? null : `written without ${number}, which is not a whole number`);
    if (expected === null) continue;
    throw wouldNotStart(`${configPath}: "${key}" must be ${expected}`, "another value", "Correct it.");
  }
}

/** A configuration that dockerd is about to start with, and what it is compared with. */
type Start = Pick<ObservedDocker, "cgroupDriver" | "configPath" | "daemon" | "service" | "version">;

/**
 * Throws a UserError if dockerd would not start with the configuration, whoever has written it, and names the place. What the
 * running daemon has is accepted, as it has started with that.
 */
export function requireStartable(configuration: Configuration, start: Start): void {
  const { configPath, daemon, service, version } = start;
  requireValidKeys(configuration.config, configPath, version);
  rejectConflicts(configuration, start);
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
      if (isRejected(name, version)) throw rejected(placeOf(name), `--${name}`);
      for (const value of values) {
        const expected = expectedToStart(name, value, version);
        if (expected === null) continue;
        throw wouldNotStart(
          `${placeOf(name)}: --${name} must be ${expected}`,
          redactSecrets(`--${name}=${value}`),
          "Correct it.",
        );
      }
    }
  }
  const options = optionsOf(configuration);
  requireConsistentLabels(options.get("label") ?? []);
  if (["tls", "tlsverify"].some((name) => options.has(name) && changed(name, options.get(name) ?? []))) {
    requireCertificates(options, configuration);
  }
}

/** As GetConflictFreeLabels (moby, daemon/config/config.go). */
function requireConsistentLabels(labels: readonly string[]): void {
  for (const [index, label] of labels.entries()) {
    const [name] = splitAtEquals(label);
    const other = labels.slice(0, index).find((each) => each !== label && splitAtEquals(each)[0] === name);
    if (other === undefined) continue;
    throw wouldNotStart(`label: ${name} must have one value`, redactSecrets(`${other} and ${label}`), "Remove one.");
  }
}

/** Where dockerd looks for certificates whose paths are not given (moby, cmd/dockerd/options.go). systemd sets none of these. */
const CERTIFICATE_PLACES = ["DOCKER_CERT_PATH", "DOCKER_CONFIG", "HOME"];

/** Either option turns TLS on, tlsverify by any value; the clients' certificates are verified unless that is false. */
function requireCertificates(options: DockerFlags, { unit }: Configuration): void {
  const verify = options.get("tlsverify")?.at(-1);
  if (verify === undefined && !isTrue(options.get("tls")?.at(-1) ?? "")) return;
  if (CERTIFICATE_PLACES.some((name) => unit?.variables.has(name))) return;
  const names = [...(isFalse(verify ?? "") ? [] : ["tlscacert"]), "tlscert", "tlskey"];
  const missing = names.filter((name) => (options.get(name)?.at(-1) ?? "") === "");
  if (missing.length === 0) return;
  throw new UserError(
    `tlsverify: needs --${names.join(" and --")} (found no --${missing.join(" and no --")}). Set all of them, or remove it.`,
  );
}

/** Throws a UserError if dockerd would no longer serve the socket that systemd opens for it: its clients would hang. */
export function requireSystemdSocket(current: Configuration, desired: Configuration): void {
  const [before, after] = [current, desired].map((configuration) => optionsOf(configuration).get("host") ?? []);
  if (!before?.includes("fd://") || after?.includes("fd://")) return;
  throw new UserError(
    `opts: --host must keep fd://, the socket that systemd opens for dockerd (found ${after?.join(", ")}). Add --host=fd://.`,
  );
}

/**
 * Lets dockerd validate the configuration, with the unit's environment, in which it looks for certificates and docker-proxy. No action
 * where its version can't do that, or its arguments or variables are not known. `inCheck`: whether check mode does so too.
 */
export function validateByDocker(configuration: Configuration, version: string | null, inCheck = false): Action[] {
  const { unit } = configuration;
  if (unit === null || !canValidate(version) || flagsOf(configuration).has("config-file")) return [];
  if (listSettings(unit.settings, "Service", "PassEnvironment").length > 0) return [];
  if ([...unit.variables.values()].some(({ doubt }) => doubt !== null)) return [];
  const env = new Map([...unit.variables].map(([name, { value }]) => [name, toText(value)]));
  const argv = [unit.program, ...argumentsOf(configuration).map(({ value }) => value)].map(toText);
  const content = configuration.config.trim() === "" ? "{}" : configuration.config;
  return [{ do: "validate", content, argv: [...argv, "--validate", "--config-file", "%s"], env, inCheck }];
}
