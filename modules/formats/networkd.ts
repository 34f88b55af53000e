import { Refusal } from "../core/refusal";

/** A section of a file in systemd's syntax: its name, and its settings in order. A name may come more than once. */
export type Section = readonly [name: string, settings: readonly (readonly [key: string, value: string | number])[]];

/**
 * Renders a file in systemd's syntax, such as a .network of systemd-networkd's (systemd.syntax(7)). Throws a Refusal for a
 * value that would end its line, go on in the next, or be expanded.
 */
export function renderSections(comment: string, sections: readonly Section[]): string {
  const texts = sections.map(([name, settings]) =>
    [`[${name}]`, ...settings.map(([key, value]) => `${key}=${verbatim(String(value))}`)].join("\n"),
  );
  return `${[`# ${verbatim(comment)}`, ...texts].join("\n\n")}\n`;
}

function verbatim(text: string): string {
  if (/\p{Cc}|\\$|%/u.test(text))
    throw new Refusal(`${JSON.stringify(text)} can't stand in a file of systemd's syntax`);
  return text;
}
