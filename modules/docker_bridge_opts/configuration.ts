import { orNull, UserError } from "../core/errors";
import { redactSecrets } from "../core/redact";
import { daemonOptions } from "../formats/daemon_json";
import { invalidWords, parseDockerFlags } from "../formats/docker_flags";
import type { DockerFlags } from "../formats/docker_options";
import { environmentVariables } from "../formats/environment_file";
import { splitFields } from "../formats/shell_command";
import { shellValue } from "../formats/shell_file";
import type { Word } from "../formats/shell_words";
import { systemdWords } from "../formats/systemd_words";
import type { ObservedDocker } from "./observed";
import { runningOptions } from "./pending_restart";
import { type Argument, type CommandLine, commandLine, type Split, VARIABLE } from "./service/command_line";
import { type DockerService, NOTHING_WRITTEN } from "./service/docker_service";

/**
 * All that dockerd gets its options from, without this module's drop-in. DOCKER_OPTS is the variable in the options file; the other
 * arguments are what the unit itself passes.
 */
export interface Configuration {
  /** What the unit passes, as it is without this module's drop-in; null if a script starts dockerd. */
  readonly unit: CommandLine | null;
  /** Where DOCKER_OPTS of the options file is split into arguments; null if it is not read. */
  readonly split: Split | null;
  /** The arguments that are set elsewhere than in that DOCKER_OPTS. */
  readonly otherArguments: readonly Argument[];
  /** DOCKER_OPTS. */
  readonly dockerOpts: string;
  /** daemon.json; "" if the file does not exist. */
  readonly config: string;
}

/** The options in DOCKER_OPTS. */
export interface DockerOptsValue {
  readonly value: string;
  /** Whether it is put together from variables, as Apollo's lines are: a shell expands them, systemd does not. */
  readonly refersToVariables: boolean;
}

/**
 * Reads DOCKER_OPTS as the service does, or as a shell if it refers to variables. Throws a UserError if the value depends on what a
 * shell does at run time.
 */
export function readOptions({ init, filePath }: DockerService, content: string): DockerOptsValue {
  if (init === "script") return { value: readAsShell(filePath, content), refersToVariables: true };
  const value = environmentVariables(content)?.get(VARIABLE)?.value ?? "";
  if (!/\$\{?[A-Za-z_]/.test(value)) return { value, refersToVariables: false };
  const expanded = readAsShell(filePath, content);
  return { value: expanded, refersToVariables: expanded !== value };
}

function readAsShell(path: string, content: string): string {
  try {
    return shellValue(content, VARIABLE) ?? "";
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${path}: ${redactSecrets(error.message)}`) : error;
  }
}

/** The present configuration. Throws a UserError if it can't be computed. */
export function currentConfiguration({
  service,
  optionsFile,
  dockerOptsIsRead,
  config,
}: Pick<ObservedDocker, "service" | "optionsFile" | "dockerOptsIsRead" | "config">): Configuration {
  const unit = service.unit === null ? null : commandLine(service.unit);
  const args = unit?.args ?? [];
  const split = dockerOptsIsRead ? splitOf(service, unit) : null;
  const otherArguments = split === null ? args : [...args.slice(0, split.at), ...args.slice(split.at + split.count)];
  return {
    unit,
    split,
    otherArguments,
    dockerOpts: dockerOptsIsRead ? readOptions(service, optionsFile?.content ?? "").value : "",
    config: config?.content ?? "",
  };
}

/**
 * Where the unit itself does not read DOCKER_OPTS from a file, this module's drop-in has it read, and passes it at the end unless
 * the unit does. Throws a UserError if options that DOCKER_OPTS has from elsewhere would be lost.
 */
function splitOf({ readsFile, whyNot, filePath }: DockerService, unit: CommandLine | null): Split {
  const [split, second] = unit?.splits ?? [];
  if (split !== undefined && !readsFile && (second !== undefined || split.count > 0)) {
    throw new UserError(
      `location: must not be docker_opts while ${VARIABLE} of ${filePath} does not apply (found that ${whyNot}). Set I(location): daemon_json, or move these options to ${filePath}.`,
    );
  }
  if (split !== undefined) return split;
  const by = unit === null ? "shell" : "systemd";
  return { at: unit?.args.length ?? 0, count: 0, word: unit?.words.length ?? 0, by };
}

/** The arguments in DOCKER_OPTS, as the service splits it. */
export function dockerOptsWords({ split, dockerOpts }: Configuration): readonly Word[] {
  if (split?.by === "shell") return splitFields(dockerOpts).map((field) => ({ raw: field, value: field }));
  return systemdWords(dockerOpts, "value").words;
}

/** dockerd's arguments, in order. */
export function argumentsOf(configuration: Configuration): readonly Word[] {
  const { otherArguments, split } = configuration;
  const at = split?.at ?? otherArguments.length;
  return [...otherArguments.slice(0, at), ...dockerOptsWords(configuration), ...otherArguments.slice(at)];
}

/** The flags of the command line and of DOCKER_OPTS. */
export function flagsOf(configuration: Configuration): DockerFlags {
  return parseDockerFlags(argumentsOf(configuration));
}

/** All options, by their names as flags. */
export function optionsOf(configuration: Configuration): DockerFlags {
  return new Map([...daemonOptions(configuration.config), ...flagsOf(configuration)]);
}

/** The configuration that dockerd would start with, with this module's drop-in as it is. Throws a UserError if it can't be computed. */
export function configurationToStartWith(observed: ObservedDocker): Configuration {
  const { service, dropIn, config } = observed;
  if (service.unit === null) return currentConfiguration(observed);
  const unit = commandLine(service.unit, { ...NOTHING_WRITTEN, dropIn: dropIn?.content ?? null });
  return { unit, split: null, otherArguments: unit.args, dockerOpts: "", config: config?.content ?? "" };
}

/** dockerd's options at its next start. Throws a UserError if they can't be computed. */
export function configuredOptions(observed: ObservedDocker): DockerFlags {
  return optionsOf(configurationToStartWith(observed));
}

/** dockerd's options at its next start; those of the running daemon, if any, if they can't be computed. */
export function optionsToStartWith(observed: ObservedDocker): DockerFlags {
  const { daemon } = observed;
  return orNull(() => configuredOptions(observed)) ?? (daemon === null ? new Map() : runningOptions(daemon));
}

/** The names of the unit's flags that this module's present drop-in removes. */
export function overriddenFlags(
  { otherArguments }: Configuration,
  { service, dropIn }: ObservedDocker,
): ReadonlySet<string> {
  if (service.unit === null || dropIn === null) return new Set();
  const kept = parseDockerFlags(commandLine(service.unit, { ...NOTHING_WRITTEN, dropIn: dropIn.content }).args);
  return new Set([...parseDockerFlags(otherArguments).keys()].filter((name) => !kept.has(name)));
}

/** Throws a UserError if DOCKER_OPTS has a word that dockerd would not start with. */
export function requireReadableDockerOpts(configuration: Configuration, path: string): void {
  const [stray] = invalidWords(dockerOptsWords(configuration));
  if (stray === undefined) return;
  throw new UserError(
    `${path}: ${VARIABLE} must have options with their values (found ${JSON.stringify(redactSecrets(stray.value))}). Correct the line.`,
  );
}
