import { UserError } from "../core/errors";
import { redactSecrets } from "../core/redact";
import { daemonOptions, withDaemonOptions } from "../formats/daemon_json";
import { parseDockerFlags, withDockerFlags, withoutDockerFlags } from "../formats/docker_flags";
import { type DockerFlags, meansTheSame } from "../formats/docker_options";
import { environmentValue } from "../formats/environment_file";
import { shellValue } from "../formats/shell_file";
import { splitWords } from "../formats/shell_words";
import { unitSettings } from "../formats/systemd_ini";
import type { DockerService, ObservedDocker } from "./observed";

/** The variable with dockerd's options, wherever a service reads them from a file. */
export const VARIABLE = "DOCKER_OPTS";

/** All texts that dockerd gets its options from. */
export interface Configuration {
  /** ExecStart= of its unit, in which DOCKER_OPTS is not expanded; "" where a script starts dockerd. */
  readonly command: string;
  /** DOCKER_OPTS. */
  readonly line: string;
  /** daemon.json; "" where the file does not exist. */
  readonly config: string;
}

/** How a unit starts dockerd. */
export interface UnitStart {
  /** ExecStart= as it is written. */
  readonly command: string;
  /** The paths of EnvironmentFile=, in the order in which systemd reads them. */
  readonly environmentFiles: readonly string[];
}

/** Reads the contents of a unit's file and of its drop-ins, in systemd's order. */
export function parseUnit(files: readonly string[]): UnitStart {
  return {
    command: unitSettings(files, "Service", "ExecStart").at(-1) ?? "",
    environmentFiles: unitSettings(files, "Service", "EnvironmentFile").map((path) => path.replace(/^-/, "")),
  };
}

/** Whether systemd passes the options in DOCKER_OPTS of an environment file to dockerd. */
export function passesVariable({ command, environmentFiles }: UnitStart): boolean {
  // systemd splits the value only where the variable is a word of its own, without braces (systemd.service(5)).
  return environmentFiles.length > 0 && splitWords(command).some(({ raw }) => raw === `$${VARIABLE}`);
}

/** The options in DOCKER_OPTS. */
export interface OptionsLine {
  readonly line: string;
  /** Whether it refers to variables that systemd does not expand, as Apollo's chains do: dockerd does not start with them. */
  readonly broken: boolean;
}

/**
 * Reads DOCKER_OPTS as the service does: a script's shell expands variables in it, systemd does not. Throws a UserError
 * where the value depends on what a shell does at run time.
 */
export function readOptions({ init, filePath }: DockerService, content: string): OptionsLine {
  if (init === "script") return { line: readAsShell(filePath, content), broken: false };
  const line = environmentValue(content, VARIABLE) ?? "";
  if (!/\$\{?[A-Za-z_]/.test(line)) return { line, broken: false };
  const expanded = readAsShell(filePath, content);
  return { line: expanded, broken: expanded !== line };
}

function readAsShell(path: string, content: string): string {
  try {
    return shellValue(content, VARIABLE) ?? "";
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${path}: ${redactSecrets(error.message)}`) : error;
  }
}

/** The present configuration, with the unit's command line as it is without this module's drop-in. */
export function presentConfiguration({ service, optionsFile, lineIsRead, config }: ObservedDocker): Configuration {
  return {
    command: service.command,
    line: lineIsRead ? readOptions(service, optionsFile?.content ?? "").line : "",
    config: config?.content ?? "",
  };
}

/** The flags of the command line and of DOCKER_OPTS. */
export function flagsOf({ command, line }: Configuration): DockerFlags {
  return parseDockerFlags([...splitWords(command), ...splitWords(line)]);
}

/** All options, by their names as flags. */
export function optionsOf(configuration: Configuration): DockerFlags {
  return new Map([...daemonOptions(configuration.config), ...flagsOf(configuration)]);
}

/** The names of the flags in a unit's command line that a drop-in removes from it. */
export function overriddenFlags(command: string, dropIn: string): ReadonlySet<string> {
  const override = unitSettings([dropIn], "Service", "ExecStart").at(-1);
  const kept = override === undefined ? null : parseDockerFlags(splitWords(override));
  return new Set([...parseDockerFlags(splitWords(command)).keys()].filter((name) => kept && !kept.has(name)));
}

export type Place = "docker_opts" | "daemon_json";

/** Where `configure` puts options. */
export interface Placement {
  /** Where a new option goes. */
  readonly place: Place;
  /** Whether an option that is set elsewhere is moved there. */
  readonly move: boolean;
  /** Whether a flag that the unit sets to another value is removed from its command line. */
  readonly overrideUnit: boolean;
  /** The flags that are removed from it already; they stay removed while they are set elsewhere. */
  readonly overridden: ReadonlySet<string>;
}

/**
 * The configuration that gives dockerd the desired options, each in one place only; everything else is unchanged. An option
 * without values is removed. Throws a UserError where daemon.json can't express an option.
 */
export function configure(
  present: Configuration,
  desired: DockerFlags,
  { place, move, overrideUnit, overridden }: Placement,
): Configuration {
  const inCommand = parseDockerFlags(splitWords(present.command));
  const inLine = parseDockerFlags(splitWords(present.line));
  const inConfig = daemonOptions(present.config);
  const [toLine, toConfig] = [new Map<string, readonly string[]>(), new Map<string, readonly string[]>()];
  const offCommand = new Set(
    [...overridden].filter((name) => !desired.has(name) && (inLine.has(name) || inConfig.has(name))),
  );
  for (const [name, values] of desired) {
    const byUnit = inCommand.has(name) && values.length > 0 && meansTheSame(name, inCommand.get(name), values);
    if (overrideUnit && inCommand.has(name) && !byUnit) offCommand.add(name);
    const current = inLine.has(name) ? "docker_opts" : inConfig.has(name) ? "daemon_json" : place;
    const target = byUnit ? null : move ? place : current;
    toLine.set(name, target === "docker_opts" ? values : []);
    toConfig.set(name, target === "daemon_json" ? values : []);
  }
  const offLine = new Set([...toLine].filter(([, values]) => values.length === 0).map(([name]) => name));
  return {
    command: withoutDockerFlags(present.command, offCommand),
    line: withDockerFlags(withoutDockerFlags(present.line, offLine), toLine),
    config: withDaemonOptions(present.config, toConfig),
  };
}
