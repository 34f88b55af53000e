import { UserError } from "../core/errors";

/** A section of a file in systemd's syntax: its name and its settings in order. A key can appear more than once. */
export type Section = readonly [name: string, settings: readonly (readonly [key: string, value: string | number])[]];

/**
 * Renders a file in systemd's syntax, such as a .network file (systemd.syntax(7)). Throws a UserError for a value that would end
 * its line, continue on the next one, or be expanded.
 */
export function renderSections(comment: string, sections: readonly Section[]): string {
  const texts = sections.map(([name, settings]) =>
    [`[${name}]`, ...settings.map(([key, value]) => `${key}=${verbatim(`${key}= in [${name}]`, String(value))}`)].join(
      "\n",
    ),
  );
  return `${[`# ${verbatim("the comment", comment)}`, ...texts].join("\n\n")}\n`;
}

function verbatim(what: string, text: string): string {
  if (/\p{Cc}|\\$|%/u.test(text))
    throw new UserError(
      `${what} must not have control characters, a "%" or a backslash at its end (found ${JSON.stringify(text)}). Choose another value and run again.`,
    );
  return text;
}
