import { UserError } from "../core/errors";
import { redactSecrets } from "../core/redact";
import { environmentValue } from "../formats/environment_file";
import { splitWords } from "../formats/shell_words";
import type { ObservedDocker } from "./observed";
import { VARIABLE } from "./service/command_line";
import type { DockerService } from "./service/docker_service";

/** Throws a UserError if a value in the file with Docker's options begins with an escaped quote. */
export function rejectEscapedQuotes({ service, optionsFile, dockerOptsIsRead }: ObservedDocker): void {
  const found = dockerOptsIsRead && optionsFile ? escapedQuotes(optionsFile.content, service.init) : null;
  if (found === null) return;
  throw new UserError(
    `${service.filePath}: the value in line ${found.line} must not begin with an escaped quote, which becomes part of it (found ` +
      `${redactSecrets(found.text)}). Remove the backslashes and run again.`,
  );
}

interface Line {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/**
 * The first assignment that applies and whose value begins with an escaped quote, as in `DOCKER_TMPDIR=\"/srv\"`: Ansible's
 * lineinfile keeps such backslashes. Null if there is none. systemd splits DOCKER_OPTS into words and takes quotes off then, so
 * there it does harm only with white space between its quotes (systemd.service(5)).
 */
export function escapedQuotes(content: string, init: DockerService["init"]): Line | null {
  const lines = content.split("\n");
  const names = lines.map((text, index) =>
    lines[index - 1]?.endsWith("\\") ? undefined : /^\s*(?:export\s+)?([A-Za-z_]\w*)=/.exec(text)?.[1],
  );
  const index = lines.findIndex((text, at) => {
    const name = names[at];
    if (name === undefined || names.includes(name, at + 1) || !/^[^=]*=\\["']/.test(text)) return false;
    return init === "script" || name !== VARIABLE || joinsWords(text);
  });
  const text = lines[index]?.trim();
  return text === undefined ? null : { line: index + 1, text };
}

function joinsWords(assignment: string): boolean {
  return splitWords(environmentValue(assignment, VARIABLE) ?? "").some(({ value }) => /\s/.test(value));
}
