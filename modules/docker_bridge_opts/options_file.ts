import { Refusal } from "../core/refusal";
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

/** Reads DOCKER_OPTS as the service does: systemd expands nothing, a script's shell everything. Throws a Refusal where only a shell can tell. */
export function readOptions({ init, filePath }: DockerService, content: string): OptionsLine {
  if (init === "script") return { line: asShell(filePath, content), broken: false };
  const line = environmentValue(content, VARIABLE) ?? "";
  if (!/\$\{?[A-Za-z_]/.test(line)) return { line, broken: false };
  const meant = asShell(filePath, content);
  return { line: meant, broken: meant !== line };
}

/** Returns the file's content with these options. It may be left empty, as a unit may not start without the file. */
export function writeOptions(service: DockerService, content: string, line: string): string {
  const value = line === "" ? null : line;
  const asSystemd = service.init === "systemd" && !readOptions(service, content).broken;
  return asSystemd ? withEnvironmentValue(content, VARIABLE, value) : withShellValue(content, VARIABLE, value);
}

function asShell(path: string, content: string): string {
  try {
    return shellValue(content, VARIABLE) ?? "";
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`${path}: ${error.message}`) : error;
  }
}
