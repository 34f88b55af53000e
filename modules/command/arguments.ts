import { readFileSync } from "node:fs";
import type { Options } from "yargs";
import { BECOME_HINT, UserError } from "../core/errors";
import { nameOptions, type OptionNames, optionNames } from "../core/option_names";
import { type Option, type OptionTable, parseOptions } from "../core/options";
import { jsonErrorPosition, lineOf } from "../core/text";
import { didYouMean } from "./did_you_mean";

/** What a module was given on the command line. */
export interface ModuleArguments {
  readonly table: OptionTable;
  /** Values by option name; a flag overrides the file. */
  readonly options: ReadonlyMap<string, unknown>;
  /** The file of --args, as messages name it, and the options whose values come from it; null without --args. */
  readonly file: { readonly name: string; readonly options: ReadonlySet<string> } | null;
}

/** The flags that yargs has read, by their names without dashes. */
export type FlagValues = Readonly<Record<string, unknown>>;

const STANDARD_INPUT = 0;

/** The flag of a module's option, without its dashes. */
export function flagOf(option: string): string {
  return RENAMED[option] ?? option.replace(/_/g, "-");
}

/** --args is the command's own flag: the file that options are read from. */
const RENAMED: Readonly<Record<string, string>> = { args: "launch-args" };

/** The yargs options of a module. A secret one is rejected: the process list would show its value. Messages name the flags. */
export function moduleFlags(table: OptionTable): Record<string, Options> {
  return Object.fromEntries(
    Object.entries(table)
      .filter(([, row]) => row !== optionNames)
      .map(([option, row]) => [flagOf(option), row.secret ? rejectedFlag(option) : toFlag(row)]),
  );
}

function rejectedFlag(option: string): Options {
  const reject = (): never => {
    throw new UserError(
      `--${flagOf(option)}: must not be on the command line, which the process list shows (found a secret). Write it as ` +
        `{"${option}": …} into a file (--args FILE) or to standard input (--args -).`,
    );
  };
  return { hidden: true, type: "string", coerce: reject };
}

/**
 * Values stay text, because the module's own table converts them as it does for Ansible. yargs gets no type: it would read "yes" as
 * false, and show all others as strings. So the type is part of the description.
 */
function toFlag({ type, description, default: value, choices }: Option<unknown>): Options {
  return {
    group: "Module options:",
    describe: `${withoutMarkup(description)}${choices ? "" : ` [${TYPES[type] ?? type}]`}`,
    ...(type !== "bool" && { nargs: 1 }),
    ...(choices && { choices }),
    ...(value !== null && { defaultDescription: typeof value === "object" ? joined(value) || "none" : String(value) }),
  };
}

const TYPES: Readonly<Record<string, string>> = {
  str: "string",
  raw: "string",
  list: "list: a,b",
  dict: "dict: name=value,name=value",
};

/** Replaces ansible-doc's markup: I(an_option) by the flag, C(code) and M(module) by what is in it. */
function withoutMarkup(text: string): string {
  return text
    .replace(/\bI\((\w+)([^)]*)\)/g, (_, option: string, value: string) => `--${flagOf(option)}${value}`)
    .replace(/\b[CM]\(([^)]*)\)/g, "$1");
}

/** A list or dictionary in the form in which its flag accepts it. */
function joined(value: object): string {
  return (Array.isArray(value) ? value : Object.entries(value).map((pair) => pair.join("="))).join(",");
}

/** Reads a module's flags and the file of --args. Throws a UserError if the file is unreadable or is not a JSON object. */
export function readArguments(table: OptionTable, flags: FlagValues): ModuleArguments {
  const options = optionsOfFlags(table, flags);
  const path = textFlag(flags, "args");
  if (path === undefined) return { table, options, file: null };
  const name = path === "-" ? "standard input" : path;
  const fromFile = parseArgs(name, readArgs(name, path === "-" ? STANDARD_INPUT : path));
  return {
    table,
    options: new Map([...fromFile, ...options]),
    file: { name, options: new Set([...fromFile.keys()].filter((option) => !options.has(option))) },
  };
}

/** The module's options that were given as flags, by option name. */
export function optionsOfFlags(table: OptionTable, flags: FlagValues): Map<string, unknown> {
  const given = Object.keys(table).map((option) => [option, flags[flagOf(option)]] as const);
  return new Map(given.filter(([, value]) => value !== undefined));
}

/** The value of a flag of type string. Throws a UserError if it was given more than once. */
export function textFlag(flags: FlagValues, name: string): string | undefined {
  const value = flags[name];
  if (Array.isArray(value))
    throw new UserError(`--${name}: must be given once (found ${value.length} times: ${value}). Remove the others.`);
  return value === undefined ? undefined : String(value);
}

function readArgs(name: string, from: string | number): string {
  try {
    return readFileSync(from, "utf8");
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    throw new UserError(
      `--args: can't read ${name} (found ${code}). ${REMEDIES[code] ?? "Name a file that can be read."}`,
    );
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: "Correct the path, or create the file.",
  EACCES: "Run as a user that may read it.",
  EISDIR: "Name a file instead of the directory.",
};

/**
 * The options in a JSON text; `name` is what messages call it. Throws a UserError unless it is a JSON object. No message
 * repeats any of the text, which may hold a secret.
 */
export function parseArgs(name: string, text: string): Map<string, unknown> {
  const remedy = `Write the module's options as JSON, such as {"peers": ["192.168.50.12"]}.`;
  if (text.trim() === "") throw new UserError(`--args: ${name} must be JSON (found an empty text). ${remedy}`);
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new UserError(`--args: ${name} must be JSON (found a mistake${describeLine(error, text)}). ${remedy}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError(`--args: ${name} must be a JSON object (found another value). ${remedy}`);
  }
  return new Map(Object.entries(value));
}

function describeLine(error: unknown, text: string): string {
  const position = jsonErrorPosition(error);
  return position === null ? "" : ` in line ${lineOf(text, position)}`;
}

/** Throws a UserError if an option's value is invalid, or if the file sets an option that the module doesn't have. */
export function checkArguments(moduleName: string, given: ModuleArguments): void {
  const { file, table } = given;
  // A flag that the module doesn't have is rejected before.
  const unknown = [...(file?.options ?? [])].find((option) => !Object.hasOwn(table, option));
  if (unknown !== undefined) {
    throw new UserError(
      `${file?.name}: ${JSON.stringify(unknown)} must be an option of ${moduleName} (found an unknown one). ` +
        (didYouMean(unknown, Object.keys(table)) ?? "Correct or remove it."),
    );
  }
  try {
    parseOptions(moduleName, table, given.options);
  } catch (error) {
    throw error instanceof UserError ? new UserError(nameSource(error.message, given)) : error;
  }
}

/** A module's message, with options named as they are typed; prefixed by the --args file if that sets the option that it begins with. */
export function nameSource(message: string, given: ModuleArguments): string {
  const words = nameOptions(message, typedNames(given)).replace(BECOME_HINT, "");
  const [, option = ""] = /^([a-z_]+): /.exec(words) ?? [];
  return given.file?.options.has(option) ? `${given.file.name}: ${words}` : words;
}

/** How the operator types each option: as a flag, or by its own name in the file that has it or, for a secret, must have it. */
export function typedNames({ table, file }: ModuleArguments): OptionNames {
  const flags = Object.entries(table).filter(([option, { secret }]) => !secret && !file?.options.has(option));
  return Object.fromEntries(flags.map(([option]) => [option, `--${flagOf(option)}`]));
}
