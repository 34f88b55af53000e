import { UserError } from "../core/errors";

/** A section of a file in systemd's syntax: its name and its settings in order. A key can appear more than once. */
export type Section = readonly [name: string, settings: readonly (readonly [key: string, value: string | number])[]];

/**
 * Renders a file in systemd's syntax, such as a .network file (systemd.syntax(7)). Throws a UserError for a value that would end
 * its line, continue on the next one, or be expanded.
 */
export function renderSections(comment: string, sections: readonly Section[]): string {
  const texts = sections.map(([name, settings]) =>
    [`[${name}]`, ...settings.map(([key, value]) => `${key}=${verbatim(String(value))}`)].join("\n"),
  );
  return `${[`# ${verbatim(comment)}`, ...texts].join("\n\n")}\n`;
}

function verbatim(text: string): string {
  if (/\p{Cc}|\\$|%/u.test(text))
    throw new UserError(`${JSON.stringify(text)} can't stand in a file of systemd's syntax`);
  return text;
}
/**
 * The values of a setting, such as ExecStart in the section Service, in a systemd unit and its drop-ins, in that order. Continued
 * lines are joined; an empty value resets the list (systemd.syntax(7), systemd.service(5)).
 */
export function unitSettings(contents: readonly string[], section: string, key: string): readonly string[] {
  let found: string[] = [];
  for (const content of contents) {
    for (const setting of numberedSettings(content)) {
      if (setting.section !== section || setting.key !== key) continue;
      found = setting.value === "" ? [] : [...found, setting.value];
    }
  }
  return found;
}

/** A setting of a file in systemd's syntax. */
export interface Setting {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  /** The number of its first line, from 1. */
  readonly line: number;
}

/** All settings of a file in systemd's syntax, in order. */
export function numberedSettings(content: string): readonly Setting[] {
  const found: Setting[] = [];
  let section = "";
  for (const { line, text } of logicalLines(content)) {
    const [, heading] = /^\[(.*)\]\s*$/.exec(text) ?? [];
    const [, key, value = ""] = /^([^=]+?)\s*=\s*(.*?)\s*$/s.exec(text) ?? [];
    if (heading !== undefined) section = heading;
    else if (key !== undefined) found.push({ section, key, value, line });
  }
  return found;
}

/** Comments are dropped, also within a continued line. */
function logicalLines(content: string): { line: number; text: string }[] {
  const lines: { line: number; text: string }[] = [];
  let open = false;
  for (const [index, raw] of content.split(/\r?\n/).entries()) {
    const physical = raw.trimStart();
    if (/^[#;]/.test(physical) || (physical === "" && !open)) continue;
    const text = physical.replace(/\\$/, " ");
    const previous = open ? lines.pop() : undefined;
    lines.push(previous ? { line: previous.line, text: previous.text + text } : { line: index + 1, text });
    open = physical.endsWith("\\");
  }
  return lines;
}
