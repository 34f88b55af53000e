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
    let current = "";
    for (const line of logicalLines(content)) {
      const [, heading] = /^\[(.*)\]\s*$/.exec(line) ?? [];
      const [, name, value = ""] = /^([^=]+?)\s*=\s*(.*?)\s*$/s.exec(line) ?? [];
      if (heading !== undefined) current = heading;
      else if (current === section && name === key) found = value === "" ? [] : [...found, value];
    }
  }
  return found;
}

/** Comments are dropped, also within a continued line. */
function logicalLines(content: string): string[] {
  const lines: string[] = [];
  let open = false;
  for (const raw of content.split(/\r?\n/)) {
    const line = raw.trimStart();
    if (/^[#;]/.test(line) || (line === "" && !open)) continue;
    const text = line.replace(/\\$/, " ");
    if (open) lines.push(`${lines.pop() ?? ""}${text}`);
    else lines.push(text);
    open = line.endsWith("\\");
  }
  return lines;
}
