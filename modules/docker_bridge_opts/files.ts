import { type Change, fileChanges, run } from "../core/change";
import { UserError } from "../core/errors";
import { redactSecrets } from "../core/redact";
import { environmentValue, withEnvironmentValue } from "../formats/environment_file";
import { withShellValue } from "../formats/shell_file";
import { type Configuration, readOptions, VARIABLE } from "./command_line";
import type { DockerService, ObservedDocker } from "./observed";

/** systemd reads drop-ins by name, so that this one comes last and overrides the others. */
export const DROP_IN_PATH = "/etc/systemd/system/docker.service.d/zz-weave.conf";

export const DAEMON_RELOAD = run(["systemctl", "daemon-reload"]);

/**
 * The changes of daemon.json, the file with DOCKER_OPTS and the drop-in that lead from the present configuration to the
 * desired one. Throws a UserError where the service would not read DOCKER_OPTS from its file.
 */
export function configurationChanges(
  present: Configuration,
  desired: Configuration,
  { service, optionsFile, lineIsRead, dropIn, configPath, config }: ObservedDocker,
): Change[] {
  const content = optionsFile?.content ?? "";
  const keepsLine = desired.line === present.line && !(lineIsRead && readOptions(service, content).broken);
  const needsFile = lineIsRead && !service.readsFile && desired.line !== "";
  return [
    ...fileChanges(config, {
      path: configPath,
      content: desired.config === present.config ? (config?.content ?? null) : nullIfEmpty(desired.config),
      redact: redactSecrets,
    }),
    ...fileChanges(optionsFile, {
      path: service.filePath,
      content: keepsLine ? (optionsFile?.content ?? null) : writeOptions(service, content, desired.line),
      redact: redactSecrets,
    }),
    ...(service.init === "systemd"
      ? fileChanges(dropIn, {
          path: DROP_IN_PATH,
          content:
            desired.command !== present.command || needsFile
              ? renderDropIn(desired.command, needsFile ? service.filePath : null)
              : null,
          redact: redactSecrets,
          afterwards: [DAEMON_RELOAD],
        })
      : []),
  ];
}

/** A daemon.json without keys is deleted. */
function nullIfEmpty(config: string): string | null {
  return config.trim() === "{}" ? null : config;
}

/** The file is kept even if it becomes empty: a unit may not start without it. */
function writeOptions(service: DockerService, content: string, line: string): string {
  const edited = withOptions(service, content, line === "" ? null : line);
  if (readOptions(service, edited).line === line) return edited;
  throw new UserError(
    `${service.filePath}: ${VARIABLE} would not be read (an unclosed quote or a continued line comes before it). Close that first.`,
  );
}

function withOptions(service: DockerService, content: string, line: string | null): string {
  if (service.init === "script") return withShellValue(content, VARIABLE, line);
  if (!readOptions(service, content).broken) return withEnvironmentValue(content, VARIABLE, line);
  const unchained = withShellValue(content, VARIABLE, line);
  // systemd does not read a shell's "export".
  return environmentValue(unchained, VARIABLE) === line
    ? unchained
    : withEnvironmentValue(withShellValue(content, VARIABLE, null), VARIABLE, line);
}

/** The command line is the unit's own without the flags that are set elsewhere, so it needs no further escaping. */
function renderDropIn(command: string, optionsFile: string | null): string {
  return [
    "# Written by Ansible's docker_bridge_opts, which replaces what is changed here by hand.",
    "[Service]",
    ...(optionsFile === null ? [] : [`EnvironmentFile=-${optionsFile}`]),
    "ExecStart=",
    `ExecStart=${command}${optionsFile === null ? "" : ` $${VARIABLE}`}`,
    "",
  ].join("\n");
}
