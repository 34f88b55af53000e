import { UserError } from "../../core/errors";
import { isPattern } from "../../core/glob";
import type { Host } from "../../core/host/host";
import { followLinks } from "../../core/host/paths";
import { environmentVariables } from "../../formats/environment_file";
import { type CommandLine, commandLine, VARIABLE } from "./command_line";
import { NOTHING_WRITTEN, nameOrigin, type UnitStart } from "./docker_service";
import { environmentPatterns, filesOf } from "./environment";

/** Debian's file with dockerd's options, which upstart and sysvinit scripts source. */
export const DEFAULT_FILE = "/etc/default/docker";

/** The file for DOCKER_OPTS, or why there is none. */
export type OptionsFile = { readonly path: string; readonly why: null } | { readonly path: null; readonly why: string };

/** The file for DOCKER_OPTS, or why there is none, as if the unit's arguments can't be computed. */
export function optionsFileOf(start: UnitStart): OptionsFile {
  try {
    return findOptionsFile(commandLine(start), start);
  } catch (error) {
    if (error instanceof UserError) return { path: null, why: error.message };
    throw error;
  }
}

/**
 * The file in which DOCKER_OPTS reaches dockerd by the unit only. It is a file of Docker in /etc: others use a shared file
 * too, and a boot clears /run.
 */
function findOptionsFile(line: CommandLine, start: UnitStart): OptionsFile {
  const none = (why: string): OptionsFile => ({ path: null, why });
  const [split, second] = line.splits;
  if (split === undefined) return none(`ExecStart= does not use $${VARIABLE} (${nameOrigin(line.origin)})`);
  if (second !== undefined) return none(`ExecStart= uses $${VARIABLE} twice (${nameOrigin(line.origin)})`);
  const variable = line.variables.get(VARIABLE);
  if (variable?.inFile && !isDockersOwn(variable.origin.path)) {
    return none(`${nameOrigin(variable.origin)} sets it, a file that is not Docker's own or does not last`);
  }
  const leadsTo = variable?.inFile && start.sharedTargets.get(variable.origin.path);
  if (variable?.inFile && leadsTo) {
    return none(
      `${nameOrigin(variable.origin)} sets it, a link to ${leadsTo}, which is not Docker's own or does not last`,
    );
  }
  if (variable?.inFile) return { path: variable.origin.path, why: null };
  // A file is read after Environment=, so that a line in it would replace these options.
  if (variable !== undefined && variable.value.trim() !== "") return none(`${nameOrigin(variable.origin)} sets it`);
  const paths = environmentPatterns(line.settings, start.specifiers).flatMap(({ path }) => {
    const files = filesOf(path, start.environmentFiles, NOTHING_WRITTEN);
    if (files.some(({ content }) => environmentVariables(content) === null)) return [];
    return isPattern(path) ? files.map((file) => file.path) : [path];
  });
  const own = paths.filter((path) => isDockersOwn(path) && !start.sharedTargets.has(path));
  const path = own.includes(DEFAULT_FILE) ? DEFAULT_FILE : own.at(-1);
  return path === undefined
    ? none(`the unit reads no file of Docker's own in /etc (${nameOrigin(line.origin)})`)
    : { path, why: null };
}

/** Whether a file is Docker's own and outlasts a boot, such as /etc/default/docker, /etc/sysconfig/docker or /etc/docker/env. */
function isDockersOwn(path: string): boolean {
  return path.startsWith("/etc/") && isNamedAfterDocker(path) && !BACKUP.test(path);
}

/**
 * The file that a path leads to by symbolic links, where this module must not write it: others use it too, or a boot clears it.
 * Null for a path without links, and for a target of Docker's own or one that does not exist yet.
 */
export function sharedTarget(path: string, host: Host): string | null {
  const { target } = followLinks(path, host.readlink);
  if (target === path) return null;
  if (/^\/(run|tmp|dev|proc|sys|var\/(run|tmp))\//.test(target)) return target;
  const isTaken = target.startsWith("/etc/") || host.readFile(target) !== null;
  return isTaken && !isNamedAfterDocker(target) ? target : null;
}

/** Whether a file or its directory has Docker's name. */
function isNamedAfterDocker(path: string): boolean {
  return /\/([^/]*[._-])?docker([._-][^/]*)?(\/[^/]+)?$/.test(path);
}

/** The names of copies that editors, package managers and Ansible leave next to a file. */
const BACKUP = /(~|[._-](bak|backup|old|orig|save|rej|sw[op]|tmp|dpkg-\w+|ucf-\w+|rpm\w+)([._-]?\d+)*)$/i;
