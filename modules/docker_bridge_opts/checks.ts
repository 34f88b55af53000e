import { isIP } from "node:net";
import { UserError } from "../core/errors";
import { redactSecrets } from "../core/redact";
import { daemonKeys } from "../formats/daemon_json";
import { type DockerFlags, flagOf, isKnownOption, jsonValue } from "../formats/docker_options";
import { type Configuration, flagsOf, optionsOf } from "./configuration";

/** From this version on, dockerd itself judges a configuration that it is not run with (--validate). */
const VALIDATES_SINCE = 23;

export function canValidate(version: string | null): boolean {
  return Number.parseInt(version ?? "", 10) >= VALIDATES_SINCE;
}

/** Throws a UserError for an option, or a value, that dockerd would not start with. */
export function refuseBadOptions(wanted: DockerFlags, version: string | null): void {
  for (const [name, values] of wanted) {
    if (!isKnownOption(name) && !canValidate(version)) {
      throw new UserError(
        `opts: dockerd has no option --${name}, as far as is known; correct its name, or set it by hand`,
      );
    }
    const wrong = values.find((value) => !fits(name, value));
    if (wrong !== undefined) throw new UserError(`opts: dockerd takes no "${wrong}" for --${name}; correct it`);
  }
}

function fits(name: string, value: string): boolean {
  if (name === "dns") return isIP(value) !== 0;
  const json = jsonValue(name, [value]);
  if (typeof json === "boolean") return /^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value);
  return json !== undefined || !isNumeric(name);
}

function isNumeric(name: string): boolean {
  return typeof jsonValue(name, ["0"]) === "number";
}

/** Throws a UserError, in dockerd's own words, for a configuration that contradicts itself. */
export function refuseContradictions(configuration: Configuration, configPath: string): void {
  const [flags, keys] = [flagsOf(configuration), daemonKeys(configuration.config)];
  // Runtimes of the two are put together (moby, daemon/config/config.go, skipDuplicates).
  const twice = [...keys].filter(([key]) => key !== "runtimes" && flags.has(flagOf(key)));
  if (twice.length > 0) {
    const each = twice.map(
      ([key, value]) => `${key}: (from flag: ${show(flags.get(flagOf(key)))}, from file: ${show(value)})`,
    );
    throw new UserError(
      "dockerd would not start: the following directives are specified both as a flag and in the configuration file: " +
        `${each.join(", ")}. Take them out of ${configPath}, or from behind dockerd`,
    );
  }
  const options = optionsOf(configuration);
  if ((options.get("bip")?.at(-1) ?? "") !== "" && (options.get("bridge")?.at(-1) ?? "") !== "") {
    throw new UserError(
      "dockerd would not start: You specified -b & --bip, mutually exclusive options. Please specify only one. " +
        `Take bip out: it is the address of Docker's own bridge docker0, and ${options.get("bridge")?.at(-1)} has one`,
    );
  }
}

/** Throws a UserError where the socket that systemd holds for dockerd would be served by nobody, and every client of it hang. */
export function refuseLostSocket(present: Configuration, wanted: Configuration): void {
  const [before, after] = [present, wanted].map((configuration) => optionsOf(configuration).get("host") ?? []);
  if (!before?.includes("fd://") || after?.includes("fd://")) return;
  throw new UserError(
    `opts: --host=${after?.join(", ")} would take the place of fd://, by which dockerd serves systemd's docker.socket; ` +
      "give --host=fd:// as well",
  );
}

function show(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return redactSecrets(Array.isArray(value) ? `[${value.join(" ")}]` : text);
}
