import { UserError } from "../core/errors";
import { redactSecrets } from "../core/redact";
import { environmentValue } from "../formats/environment_file";
import { splitWords } from "../formats/shell_words";
import { readOptions, VARIABLE } from "./command_line";
import type { DockerService, ObservedDocker } from "./observed";

/** Throws a UserError where the file with Docker's options can't be what was meant, as it was found. */
export function requireUsableFile({ service, optionsFile, lineIsRead }: ObservedDocker): void {
  const found = lineIsRead && optionsFile ? escapedQuotes(optionsFile.content, service.init) : null;
  if (found === null) return;
  throw new UserError(
    `${service.filePath}: the quotes in line ${found.line} become part of the value, as they are escaped (${redactSecrets(found.text)}). ` +
      "Remove the backslashes and run again.",
  );
}

/** Throws a UserError where Docker would not start with its file: it would be down. */
export function requireStartableFile(observed: ObservedDocker): void {
  const { service, optionsFile, lineIsRead } = observed;
  requireUsableFile(observed);
  if (!lineIsRead || service.init !== "systemd" || !readOptions(service, optionsFile?.content ?? "").broken) return;
  const value = redactSecrets(environmentValue(optionsFile?.content ?? "", VARIABLE) ?? "");
  throw new UserError(
    `${service.filePath}: Docker was not restarted, as it would not start: ${VARIABLE} refers to a variable (${value}), and systemd ` +
      "expands none there. Write all options in it, and run again.",
  );
}

interface Line {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/**
 * The first assignment that counts and whose value begins with an escaped quote, as in `DOCKER_TMPDIR=\"/srv\"`: Ansible's
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
