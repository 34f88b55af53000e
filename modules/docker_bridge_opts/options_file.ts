import { UserError } from "../core/errors";
import { redactSecrets } from "../core/redact";
import { environmentValue, withEnvironmentValue } from "../formats/environment_file";
import { shellValue, withShellValue } from "../formats/shell_file";
import type { DockerService } from "./docker_service";

/** The variable that dockerd's options are in, wherever a service reads them from a file. */
export const VARIABLE = "DOCKER_OPTS";

/** The line of options in the file with DOCKER_OPTS. */
export interface OptionsLine {
  readonly line: string;
  /** Whether it refers to variables where nobody expands them, as Apollo's chains do under systemd: dockerd does not start. */
  readonly broken: boolean;
}

/** Reads DOCKER_OPTS as the service does: systemd expands nothing, a script's shell everything. Throws a UserError where only a shell can tell. */
export function readOptions({ init, filePath }: DockerService, content: string): OptionsLine {
  if (init === "script") return { line: asShell(filePath, content), broken: false };
  const line = environmentValue(content, VARIABLE) ?? "";
  if (!/\$\{?[A-Za-z_]/.test(line)) return { line, broken: false };
  const meant = asShell(filePath, content);
  return { line: meant, broken: meant !== line };
}

/**
 * Returns the file's content with these options. It may be left empty, as a unit may not start without the file. Throws a
 * UserError where the service would not read them there.
 */
export function writeOptions(service: DockerService, content: string, line: string): string {
  const edited = withOptions(service, content, line === "" ? null : line);
  if (readOptions(service, edited).line === line) return edited;
  throw new UserError(
    `${service.filePath}: ${VARIABLE} would not be read there, as a quote or a continued line before it has no end; give it one`,
  );
}

function withOptions(service: DockerService, content: string, line: string | null): string {
  if (service.init === "script") return withShellValue(content, VARIABLE, line);
  if (!readOptions(service, content).broken) return withEnvironmentValue(content, VARIABLE, line);
  const unchained = withShellValue(content, VARIABLE, line);
  // What a shell exports, systemd does not read.
  return environmentValue(unchained, VARIABLE) === line
    ? unchained
    : withEnvironmentValue(withShellValue(content, VARIABLE, null), VARIABLE, line);
}

function asShell(path: string, content: string): string {
  try {
    return shellValue(content, VARIABLE) ?? "";
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${path}: ${redactSecrets(error.message)}`) : error;
  }
}
