import type { Options } from "yargs";
import { UserError } from "../core/errors";
import type { Option, OptionTable } from "../core/options";

/** The flag of a module's option, without its dashes. */
export function flagOf(option: string): string {
  return RENAMED[option] ?? option.replace(/_/g, "-");
}

/** The command's own flag --args is the file that options are read from. */
const RENAMED: Readonly<Record<string, string>> = { args: "launch-args" };

/** Takes a module's options table; returns it as yargs has flags. One that is secret is refused, as the process list shows it. */
export function moduleFlags(table: OptionTable): Record<string, Options> {
  return Object.fromEntries(
    Object.entries(table).map(([option, row]) => [flagOf(option), row.secret ? refusedFlag(option) : toFlag(row)]),
  );
}

function refusedFlag(option: string): Options {
  const refuse = (): never => {
    throw new UserError(
      `--${flagOf(option)}: everybody can read it in the process list; give it as {"${option}": …} in a file (--args FILE) or on standard input (--args -)`,
    );
  };
  return { hidden: true, type: "string", coerce: refuse };
}

/** Takes a module's options table and the flags as yargs read them; returns the options that they give. */
export function givenFlags(table: OptionTable, argv: Readonly<Record<string, unknown>>): Map<string, unknown> {
  const given = Object.keys(table).map((option) => [option, argv[flagOf(option)]] as const);
  return new Map(given.filter(([, value]) => value !== undefined));
}

/**
 * Values stay texts: the module's own table converts them, as it does Ansible's. A boolean is no type of yargs' own, which
 * takes "yes" for false.
 */
function toFlag({ type, description, default: value, choices }: Option<unknown>): Options {
  return {
    group: "The module's options:",
    describe: withoutMarkup(description),
    ...(type !== "bool" && { type: "string", nargs: 1 }),
    ...(choices && { choices }),
    ...(value !== null && { defaultDescription: typeof value === "object" ? listed(value) || "none" : String(value) }),
  };
}

/** ansible-doc's markup: I(an_option) is a flag here, C(code) stands for itself. */
function withoutMarkup(text: string): string {
  return text
    .replace(/\bI\((\w+)([^)]*)\)/g, (_, option: string, value: string) => `--${flagOf(option)}${value}`)
    .replace(/\bC\(([^)]*)\)/g, "$1");
}

/** A list or dictionary as a flag takes it. */
function listed(value: object): string {
  return (Array.isArray(value) ? value : Object.entries(value).map((pair) => pair.join("="))).join(",");
}
