import { dirname } from "node:path";
import type { Action } from "../../core/change";
import { UserError } from "../../core/errors";
import type { FileState, Host } from "../../core/host/host";
import { type Guard, isBoolean, isListOf, isNumber, isOptional, isShape, isString, parseJson } from "../../core/json";
import type { ObservedDocker, SavedConfiguration } from "../observed";
import { DROP_IN_PATH } from "../service/docker_service";

export const SAVED_CONFIGURATION_PATH = "/var/lib/apollo-weave/docker-previous.json";

const isStringOrNull: Guard<string | null> = (value) => value === null || isString(value);

const isSavedConfiguration: Guard<SavedConfiguration> = isShape({
  daemon: isStringOrNull,
  command: isListOf(isString),
  files: isListOf(isShape({ path: isString, content: isStringOrNull, mode: isNumber })),
  configWasRead: isBoolean,
  stopped: isListOf(
    isShape({ id: isString, name: isString, belongsToWeave: isBoolean, paused: isOptional(isBoolean) }),
  ),
});

/**
 * The saved configuration; null if there is none. Throws a UserError if another user than root could have put it there, as its files are
 * written as root.
 */
export function readSavedConfiguration(host: Host): SavedConfiguration | null {
  const problem = host.writableByOthers(SAVED_CONFIGURATION_PATH);
  if (problem !== null) {
    throw new UserError(
      `${SAVED_CONFIGURATION_PATH}: must be writable by root only, as its files are restored as root (found that ${problem}). Remove ` +
        `${dirname(SAVED_CONFIGURATION_PATH)}, make root the owner of the directories above it and remove write permission for others ` +
        "(chown root, chmod go-w), and run again.",
    );
  }
  return parseSavedConfiguration(host.readFile(SAVED_CONFIGURATION_PATH));
}

/** The configuration as `saveConfiguration` wrote it; null if there is none, or the file is not from this module. */
export function parseSavedConfiguration(file: FileState | null): SavedConfiguration | null {
  return file === null ? null : parseJson(file.content, isSavedConfiguration);
}

/** Whether the daemon with this id (null: none runs) still runs with the saved configuration. A stopped Docker can be started with it. */
export function isOfDaemon(saved: SavedConfiguration | null, daemon: string | null): saved is SavedConfiguration {
  return saved !== null && (daemon === null || saved.daemon === daemon);
}

/** The present configuration, as saveConfiguration() takes it. */
export function configurationToSave(observed: ObservedDocker): SavedConfiguration {
  const { service, daemon, optionsFile, dropIn, configPath, config } = observed;
  const files: [path: string, state: FileState | null][] = [[configPath, config]];
  if (service.sharedTarget === null) files.push([service.filePath, optionsFile]);
  if (service.init === "systemd") files.push([DROP_IN_PATH, dropIn]);
  return {
    daemon: daemon?.id ?? null,
    command: daemon?.command ?? [],
    files: files.map(([path, file]) => ({ path, content: file?.content ?? null, mode: file?.mode ?? 0o644 })),
    configWasRead: daemon !== null && daemon.configAtStart !== null,
    stopped: [],
  };
}

/** Saves a configuration. There may be secrets in the files, so only root may read the copy. */
export function saveConfiguration(saved: SavedConfiguration): Action {
  return { do: "write", path: SAVED_CONFIGURATION_PATH, content: JSON.stringify(saved), mode: 0o600 };
}

/** A file that a rollback replaces, and where it is kept, as another than this module may have changed it. */
export interface ReplacedFile {
  readonly path: string;
  readonly copy: string;
  readonly content: string;
}

/** The present files that restoring the saved ones would lose. This module's own drop-in does not count. */
export function replacedFiles({ files }: SavedConfiguration, observed: ObservedDocker): ReplacedFile[] {
  return configurationToSave(observed).files.flatMap(({ path, content }) => {
    const saved = files.find((file) => file.path === path);
    if (path === DROP_IN_PATH || saved === undefined || content === null || content === saved.content) return [];
    const name = path.replace(/^\/+/, "").replace(/\//g, "-");
    return [{ path, copy: `${dirname(SAVED_CONFIGURATION_PATH)}/replaced-${name}`, content }];
  });
}

/** Restores the saved files, and keeps those that it replaces. There may be secrets in them, so only root may read the copies. */
export function restoreConfiguration({ files }: SavedConfiguration, replaced: readonly ReplacedFile[]): Action[] {
  return [
    ...replaced.map(({ copy, content }): Action => ({ do: "write", path: copy, content, mode: 0o600 })),
    ...files.map(
      ({ path, content, mode }): Action =>
        content === null ? { do: "remove", path } : { do: "write", path, content, mode },
    ),
  ];
}

export const DELETE_SAVED_CONFIGURATION: Action = { do: "remove", path: SAVED_CONFIGURATION_PATH };
