import { withoutByteOrderMark } from "../core/bytes";
import { type Change, fileChanges } from "../core/change";
import { orNull, UserError, withSubject } from "../core/errors";
import type { FileState } from "../core/host/host";
import { redactSecrets } from "../core/redact";
import { DAEMON_RELOAD } from "../core/systemctl";
import { parseDockerFlags } from "../formats/docker_flags";
import { type DockerFlags, meansTheSame } from "../formats/docker_options";
import { environmentVariables, withEnvironmentValue } from "../formats/environment_file";
import { withShellFlags } from "../formats/shell_flags";
import { splitWords } from "../formats/shell_words";
import { execWord, systemdWords } from "../formats/systemd_words";
import { type Configuration, currentConfiguration, flagsOf, overriddenFlags, readOptions } from "./configuration";
import type { ObservedDocker } from "./observed";
import { type Configured, configure } from "./placement";
import { VARIABLE } from "./service/command_line";
import { type DockerService, DROP_IN_PATH, nameOrigin } from "./service/docker_service";

/** The contents of all files that this module writes, null for one that must not exist, and the configuration that is in them. */
export interface DesiredFiles {
  readonly configuration: Configuration;
  readonly config: string | null;
  readonly options: string | null;
  readonly dropIn: string | null;
}

/**
 * The files that lead from the present configuration to the desired one. Throws a UserError if the service would not read
 * DOCKER_OPTS from its file, or where a drop-in can't change how the unit starts dockerd.
 */
export function desiredFiles(
  current: Configuration,
  { configuration: desired, toDockerOpts }: Configured,
  { service, optionsFile, dockerOptsIsRead, config }: ObservedDocker,
): DesiredFiles {
  const content = optionsFile?.content ?? "";
  const options =
    desired.dockerOpts === current.dockerOpts
      ? (optionsFile?.content ?? null)
      : writeOptions(service, content, desired.dockerOpts, toDockerOpts);
  if (service.sharedTarget !== null && options !== (optionsFile?.content ?? null)) {
    throw new UserError(
      `${service.filePath}: must be a file of Docker's own that outlasts a boot (found a link to ${service.sharedTarget}). ` +
        "Put a file in the link's place, or set I(location): daemon_json.",
    );
  }
  const { value: dockerOpts, refersToVariables } = readOptions(service, options ?? "");
  const configuration = dockerOptsIsRead ? { ...desired, dockerOpts } : desired;
  const mustExpand = service.init === "systemd" && dockerOptsIsRead && refersToVariables;
  const needsFile = dockerOptsIsRead && !service.readsFile && dockerOpts !== "";
  const needsDropIn = desired.otherArguments.length < current.otherArguments.length || needsFile || mustExpand;
  return {
    configuration,
    config: desired.config === current.config ? (config?.content ?? null) : configFile(desired),
    options,
    dropIn: needsDropIn
      ? renderDropIn(configuration, {
          optionsFile: needsFile ? service.filePath : null,
          fileWithVariables: mustExpand ? service.filePath : null,
        })
      : null,
  };
}

/** The changes that write these files. */
export function configurationChanges(files: DesiredFiles, observed: ObservedDocker): Change[] {
  const { service, optionsFile, dropIn, configPath, config } = observed;
  return [
    ...fileChanges(config, { path: configPath, content: files.config, redact: redactSecrets }),
    ...fileChanges(optionsFile, { path: service.filePath, content: files.options, redact: redactSecrets }),
    ...(service.init === "systemd" || service.missing ? dropInChanges(dropIn, files.dropIn) : []),
  ];
}

/** The changes that write this module's drop-in. */
export function dropInChanges(current: FileState | null, content: string | null): Change[] {
  return fileChanges(current, { path: DROP_IN_PATH, content, redact: redactSecrets, afterwards: [DAEMON_RELOAD] });
}

/**
 * What follows the file's path in a drop-in that has the options of a DOCKER_OPTS that refers to variables. The drop-ins on hosts are
 * recognised by it, as their settings may also be those of a rollback: with another text, this one must still be recognised.
 */
const HAS_VARIABLES = `puts ${VARIABLE} together from variables`;

/**
 * The drop-in with the options of a DOCKER_OPTS that refers to variables, as its lines are now: another owner may have changed one and ask for a restart. Null where
 * the present drop-in has none, or needs no change.
 */
export function refreshedDropIn(observed: ObservedDocker): FileState | null {
  const { dropIn } = observed;
  if (dropIn === null || !dropIn.content.includes(HAS_VARIABLES)) return null;
  // A restart does not depend on what can be computed.
  return orNull(() => {
    const current = currentConfiguration(observed);
    const overridden = overriddenFlags(current, observed);
    const placement = { place: "docker_opts", move: false, overrideUnit: new Set<string>(), overridden } as const;
    const { dropIn: content } = desiredFiles(current, configure(current, new Map(), placement), observed);
    return content === null || content === dropIn.content ? null : { ...dropIn, content };
  });
}

/** A daemon.json without keys is deleted, unless the command line names it: dockerd does not start without it then. */
function configFile(desired: Configuration): string | null {
  const isEmpty = withoutByteOrderMark(desired.config).trim() === "{}";
  return isEmpty && !flagsOf(desired).has("config-file") ? null : desired.config;
}

/** The file is kept even if it becomes empty: a unit may not start without it. */
function writeOptions(service: DockerService, content: string, line: string, flags: DockerFlags): string {
  const { refersToVariables } = readOptions(service, content);
  const edited = refersToVariables
    ? withShellFlags(content, VARIABLE, flags)
    : withSubject(service.filePath, () => withEnvironmentValue(content, VARIABLE, line === "" ? null : line));
  const { value: read } = readOptions(service, edited);
  const isDoubtful = service.init === "systemd" && environmentVariables(edited)?.get(VARIABLE)?.doubtful;
  if (!isDoubtful && (refersToVariables ? hasFlags(read, flags) : read === line)) return edited;
  throw new UserError(
    `${service.filePath}: ${VARIABLE} must be readable (found an unclosed quote or a continued line before it). Close that first.`,
  );
}

function hasFlags(line: string, flags: DockerFlags): boolean {
  const current = parseDockerFlags(splitWords(line));
  return [...flags].every(([name, values]) => meansTheSame(name, current.get(name), values));
}

interface DropIn {
  /** The file that the unit itself does not read. */
  readonly optionsFile: string | null;
  /** The file whose DOCKER_OPTS is put together from variables. */
  readonly fileWithVariables: string | null;
}

/**
 * The unit's own command line without the flags that are set elsewhere, so it needs no further escaping. Throws a UserError if a shell
 * or a script starts dockerd.
 */
function renderDropIn(
  { unit, split, otherArguments, dockerOpts }: Configuration,
  { optionsFile, fileWithVariables }: DropIn,
): string {
  if (unit === null || unit.byShell) {
    const where = unit === null ? "" : ` in ${nameOrigin(unit.origin)}`;
    throw new UserError(
      `docker.service: must start dockerd itself, as a drop-in can't change a shell's command safely (found a shell${where}). ` +
        "Start dockerd itself there.",
    );
  }
  const kept = new Set(otherArguments.map(({ word }) => word));
  const had = new Set(unit.args.map(({ word }) => word));
  const literal = systemdWords(dockerOpts, "value").words.map(({ value }) => execWord(value));
  const isSplit = (index: number): boolean => unit.splits.some(({ word }) => word === index);
  const words = unit.words.flatMap(({ raw }, index) => {
    if (fileWithVariables !== null && index === split?.word) return literal;
    return isSplit(index) || kept.has(index) || !had.has(index) ? [raw] : [];
  });
  const appended = unit.splits.length > 0 ? [] : fileWithVariables === null ? [`$${VARIABLE}`] : literal;
  return [
    "# Ansible managed (docker_bridge_opts). Manual changes will be overwritten.",
    ...(fileWithVariables === null
      ? []
      : [`# ${fileWithVariables} ${HAS_VARIABLES}, which systemd does not expand: its options are below.`]),
    "[Service]",
    ...(optionsFile === null ? [] : [`EnvironmentFile=-${optionsFile}`]),
    "ExecStart=",
    `ExecStart=${[...words, ...(optionsFile === null ? [] : appended)].join(" ")}`,
    "",
  ].join("\n");
}
