import { parse } from "yaml";
import { defaultValue, fromAnsibleMarkup, tableHead, tableRow } from "./markdown";

/** An argument of a role, as meta/argument_specs.yml declares it (Ansible's "Role argument validation"). */
interface Argument {
  readonly type: string;
  readonly elements?: string;
  readonly default?: unknown;
  readonly choices?: readonly string[];
  readonly required?: boolean;
  readonly no_log?: boolean;
  readonly description: string | readonly string[];
  readonly options?: Readonly<Record<string, Argument>>;
}

interface Specs {
  readonly argument_specs: { readonly main: { readonly options: Readonly<Record<string, Argument>> } };
}

const HEAD = `# The role's variables

Generated from roles/weave/meta/argument_specs.yml by \`npm run build\`; \`ansible-doc -t role -r roles weave\` shows the same.
The role checks types, choices and names before it reads its hosts.

${tableHead(["variable", "type", "default", "meaning"])}`;

/** The page of the role's variables, in Markdown, from the text of its argument_specs.yml. */
export function renderVariables(specs: string): string {
  const { options } = (parse(specs) as Specs).argument_specs.main;
  return HEAD + rows(options, "").join("");
}

function rows(options: Readonly<Record<string, Argument>>, parent: string): string[] {
  return Object.entries(options).flatMap(([name, argument]) => [
    row(`${parent}${name}`, argument),
    ...rows(argument.options ?? {}, `${parent}${name}[].`),
  ]);
}

function row(name: string, argument: Argument): string {
  const { type, elements, choices, required, no_log: secret } = argument;
  return tableRow([
    `\`${name}\``,
    [elements === undefined ? type : `${type} of ${elements}`, ...(secret ? ["secret"] : [])].join(", "),
    required ? "required" : defaultValue(argument.default),
    fromAnsibleMarkup(
      [...[argument.description].flat(), ...(choices ? [`One of: ${choices.join(", ")}.`] : [])].join(" "),
    ),
  ]);
}
