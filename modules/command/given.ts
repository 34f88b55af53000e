import { UserError } from "../core/errors";
import { type OptionTable, parseOptions } from "../core/options";
import { nameOfArgsFile, readArgsFile } from "./args_file";
import { flagOf, givenFlags } from "./flags";

/** What a module was given on the command line. */
export interface Given {
  readonly table: OptionTable;
  /** Its options by their names: flags before the file. */
  readonly options: ReadonlyMap<string, unknown>;
  /** Those of them that are from the file, and what messages call it; null without one. */
  readonly file: { readonly name: string; readonly options: ReadonlySet<string> } | null;
}

/** Takes a module's options table and the flags as yargs read them; reads the file of --args. Throws a UserError where it can't. */
export function readGiven(table: OptionTable, argv: Readonly<Record<string, unknown>>): Given {
  const flags = givenFlags(table, argv);
  const path = argv["args"];
  if (path === undefined) return { table, options: flags, file: null };
  if (typeof path !== "string") throw new UserError("--args: there are several files; give one");
  const fromFile = readArgsFile(path);
  return {
    table,
    options: new Map([...fromFile, ...flags]),
    file: {
      name: nameOfArgsFile(path),
      options: new Set([...fromFile.keys()].filter((option) => !flags.has(option))),
    },
  };
}

/** Throws a UserError where an option's value is none, or the file has one that the module does not. */
export function refuseUnusable(moduleName: string, given: Given): void {
  try {
    parseOptions(moduleName, given.table, given.options);
  } catch (error) {
    throw error instanceof UserError ? new UserError(inUsersTerms(error.message, given)) : error;
  }
}

/** Takes a module's message, which begins with an option's name where it is about one; returns it with where that was given. */
export function inUsersTerms(message: string, { table, file }: Given): string {
  const words = message.replace(" (become: true)", "");
  const [, option = ""] = /^([a-z_]+): /.exec(words) ?? [];
  if (file?.options.has(option) || words.startsWith("Unsupported parameters")) return `${file?.name}: ${words}`;
  return Object.hasOwn(table, option) ? `--${flagOf(option)}${words.slice(option.length)}` : words;
}
