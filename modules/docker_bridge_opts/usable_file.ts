import type { Action } from "../core/change";
import { UserError } from "../core/errors";
import { redactSecrets } from "../core/redact";
import { environmentValue } from "../formats/environment_file";
import { splitWords } from "../formats/shell_words";
import { commandLine, VARIABLE } from "./command_line";
import type { DockerService, ObservedDocker } from "./observed";
import { NOTHING_WRITTEN, type UnitStart } from "./start";

/** Throws a UserError where the file with Docker's options can't be what was meant, as it was found. */
export function requireUsableFile({ service, optionsFile, lineIsRead }: ObservedDocker): void {
  const found = lineIsRead && optionsFile ? escapedQuotes(optionsFile.content, service.init) : null;
  if (found === null) return;
  throw new UserError(
    `${service.filePath}: the quotes in line ${found.line} become part of the value, as they are escaped (${redactSecrets(found.text)}). ` +
      "Remove the backslashes and run again.",
  );
}

/**
 * A step that fails where Docker would not start with its file: it would be down. A step, as in check mode the task before this
 * one has only announced that it corrects the file.
 */
export function failUnlessStartable({ service, dropIn }: ObservedDocker): Action[] {
  const value = service.unit && unexpanded(service.unit, dropIn?.content ?? null);
  if (value === null) return [];
  return [
    {
      do: "fail",
      message:
        `${service.filePath}: Docker was not restarted, as it would not start: ${VARIABLE} refers to a variable (${redactSecrets(value)}), and ` +
        "systemd expands none there. Run docker_bridge_opts with its options first, or write all options in the line.",
    },
  ];
}

/** The argument with a variable's name that systemd would pass from DOCKER_OPTS; null if there is none. */
function unexpanded(unit: UnitStart, dropIn: string | null): string | null {
  try {
    const { args } = commandLine(unit, { ...NOTHING_WRITTEN, dropIn });
    const found = args.find(({ value, origin }) => origin.variable === VARIABLE && /\$\{?[A-Za-z_]/.test(value));
    return found?.value ?? null;
  } catch (error) {
    // A restart does not depend on what can be computed.
    if (error instanceof UserError) return null;
    throw error;
  }
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
