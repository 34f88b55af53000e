import { VARIABLE } from "./options_file";

/** The last to be read of the unit's drop-ins, so that it has the last word. */
export const DROP_IN_PATH = "/etc/systemd/system/docker.service.d/zz-weave.conf";

/**
 * Renders the drop-in that gives docker.service another command line, and a file to read DOCKER_OPTS from where it reads
 * none by itself. The command line is the unit's own less the flags that are set elsewhere, so it is escaped as it was.
 */
export function renderDropIn(command: string, optionsFile: string | null): string {
  return [
    "# Written by Ansible's docker_bridge_opts, which replaces what is changed here by hand.",
    "[Service]",
    ...(optionsFile === null ? [] : [`EnvironmentFile=-${optionsFile}`]),
    "ExecStart=",
    `ExecStart=${command}${optionsFile === null ? "" : ` $${VARIABLE}`}`,
    "",
  ].join("\n");
}
