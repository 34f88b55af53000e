import { UserError, withSubject } from "./errors";

/**
 * One row of a module's options table: the source of the validation of Ansible's arguments, of the command's flags and of
 * the documentation.
 */
export interface Option<Value> {
  readonly type: "str" | "int" | "bool" | "list" | "dict" | "raw";
  readonly description: string;
  /** Whether the option must be given. */
  readonly required: boolean;
  /** The value if the option is not given; null if it has no default. */
  readonly default: Value | null;
  readonly choices?: readonly string[];
  /** Whether its value must never be shown. */
  readonly secret: boolean;
  /**
   * Converts a JSON value as Ansible converts its own modules' arguments. Throws a UserError whose message follows the
   * option's name: what is wrong, and the remedy.
   */
  readonly convert: (raw: unknown) => Value;
}

/** Checks a text and returns its normal form. Throws a UserError that says what is wrong and what to write instead. */
export type TextCheck = (text: string) => string;

interface Declaration<Value> {
  readonly description: string;
  readonly required?: true;
  readonly default?: Value;
  readonly secret?: true;
}

/** An option's value can be null only if it is not required and has no default. */
type Given<D, Value> = D extends { required: true } | { default: Value } ? Value : Value | null;

function option<D extends Declaration<Value>, Value>(
  type: Option<Value>["type"],
  declaration: D,
  convert: (raw: unknown) => Value,
  choices?: readonly string[],
): Option<Given<D, Value>> {
  const row: Option<Value> = {
    type,
    description: declaration.description,
    required: declaration.required ?? false,
    default: declaration.default ?? null,
    secret: declaration.secret ?? false,
    convert,
    ...(choices && { choices }),
  };
  return row as Option<Given<D, Value>>;
}

/** A text, checked and normalised by `check`, whose messages must not show the value of a secret option. */
export function str<const D extends Declaration<string>>(
  declaration: D,
  check: TextCheck = (text) => text,
): Option<Given<D, string>> {
  const redacted = declaration.secret ? (): string => "a secret, not shown" : show;
  return option<D, string>("str", declaration, (raw) => check(toText(raw, redacted)));
}

/** A text, or an object as its JSON text. Ansible turns a text that looks like an object into one. */
export function textOrObject<const D extends Declaration<string>>(declaration: D): Option<Given<D, string>> {
  return option<D, string>("raw", declaration, (raw) =>
    typeof raw === "object" && raw !== null && !Array.isArray(raw) ? JSON.stringify(raw) : toText(raw),
  );
}

/** One of `choices`. */
export function choice<const C extends readonly string[], const D extends Declaration<C[number]>>(
  choices: C,
  declaration: D,
): Option<Given<D, C[number]>> {
  const convert = (raw: unknown): C[number] => {
    // YAML has `off` as a boolean, and Ansible converts that back, too.
    const text = raw === false || raw === "False" ? OFF : toText(raw);
    if (!choices.includes(text)) {
      throw new UserError(`must be one of: ${choices.join(", ")} (found ${show(raw)}). Set one of these.`);
    }
    return text;
  };
  return option<D, C[number]>("str", declaration, convert, choices);
}

const OFF = "off";

/** A whole number from `least` to `most`, both included. */
export function int<const D extends Declaration<number>>(
  declaration: D,
  least: number,
  most: number,
): Option<Given<D, number>> {
  const convert = (raw: unknown): number => {
    const number = typeof raw === "string" && /^\s*[-+]?\d+\s*$/.test(raw) ? Number(raw) : raw;
    if (typeof number !== "number" || !Number.isInteger(number)) {
      throw new UserError(`must be a whole number (found ${show(raw)}). Set one from ${least} to ${most}.`);
    }
    if (number < least || number > most) {
      throw new UserError(`must be from ${least} to ${most} (found ${number}). Set a number in this range.`);
    }
    return number;
  };
  return option<D, number>("int", declaration, convert);
}

// The words of Ansible's own converter, ansible.module_utils.parsing.convert_bool.
const YES: readonly unknown[] = ["y", "yes", "on", "1", "true", "t", 1, true];
const NO: readonly unknown[] = ["n", "no", "off", "0", "false", "f", 0, false];

/** A boolean, in every spelling that Ansible accepts. */
export function bool<const D extends Declaration<boolean>>(declaration: D): Option<Given<D, boolean>> {
  const convert = (raw: unknown): boolean => {
    const word = typeof raw === "string" ? raw.trim().toLowerCase() : raw;
    if (YES.includes(word)) return true;
    if (NO.includes(word)) return false;
    throw new UserError(`must be true or false (found ${show(raw)}). Set one of these.`);
  };
  return option<D, boolean>("bool", declaration, convert);
}

/**
 * A list of texts, each checked by `check`. A single text is split at commas, as Ansible does, and at white space, as Apollo's
 * variables need; so an element can't contain either.
 */
export function list<const D extends Declaration<readonly string[]>>(
  declaration: D,
  check: TextCheck = (text) => text,
): Option<Given<D, readonly string[]>> {
  const convert = (raw: unknown): readonly string[] =>
    (Array.isArray(raw) ? raw : [raw])
      .flatMap((element) => toText(element).split(/[\s,]+/))
      .filter((text) => text !== "")
      .map(check);
  return option<D, readonly string[]>("list", declaration, convert);
}

/**
 * Texts by name; `checkName` checks each name and `checkValue` each value. As in Ansible, a text `name=value,name=value` is
 * accepted too, split at commas and white space; such a value can't contain either.
 */
export function dict<const D extends Declaration<Readonly<Record<string, string>>>>(
  declaration: D,
  checkName: TextCheck = (name) => name,
  checkValue: TextCheck = (value) => value,
): Option<Given<D, Readonly<Record<string, string>>>> {
  const convert = (raw: unknown): Readonly<Record<string, string>> => {
    if (typeof raw !== "string" && (typeof raw !== "object" || raw === null || Array.isArray(raw))) {
      throw new UserError(`must be a dictionary (found ${show(raw)}). Write it as {name: value} or name=value.`);
    }
    const entries = typeof raw === "string" ? pairs(toText(raw)) : Object.entries(raw);
    return Object.fromEntries(entries.map(([name, value]) => [checkName(name), checkValue(toText(value))]));
  };
  return option<D, Readonly<Record<string, string>>>("dict", declaration, convert);
}

function pairs(text: string): [name: string, value: string][] {
  return text
    .split(/[\s,]+/)
    .filter((pair) => pair !== "")
    .map((pair) => {
      const [, name, value] = /^([^=]+)=(.*)$/.exec(pair) ?? [];
      if (name === undefined || value === undefined)
        throw new UserError(`must have values with names (found ${show(pair)}). Write each as name=value.`);
      return [name, value];
    });
}

function toText(raw: unknown, describe = show): string {
  if (typeof raw === "number" || typeof raw === "boolean") return String(raw);
  if (typeof raw !== "string")
    throw new UserError(`must be a string (found ${describe(raw)}). Write one value, in quotes where YAML needs them.`);
  if (raw.includes("\0")) throw new UserError(`must not contain a NUL character (found ${describe(raw)}). Remove it.`);
  // Python passes a byte that isn't UTF-8 as a lone surrogate, and the original byte is lost.
  if (/\p{Cs}/u.test(raw)) throw new UserError(`must be valid UTF-8 (found ${describe(raw)}). Write it in UTF-8.`);
  return raw;
}

/** A value as messages show it. */
export function show(raw: unknown): string {
  const text = JSON.stringify(raw) ?? String(raw);
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The typed values of a table's options. */
export type Values<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer Value> ? Value : never;
};

/**
 * The values of a module's options, with defaults, from its arguments (JSON values by option name, without Ansible's own
 * `_ansible_*`). As in Ansible, null means not given. Throws a UserError that names the option, in Ansible's own words
 * if it has any.
 */
export function parseOptions<Table extends OptionTable>(
  moduleName: string,
  table: Table,
  args: ReadonlyMap<string, unknown>,
): Values<Table> {
  const supported = Object.keys(table).sort();
  const unsupported = [...args.keys()].filter((name) => !Object.hasOwn(table, name));
  if (unsupported.length > 0) {
    const names = args.get("option_names");
    const isSetByRole = typeof names === "object" && names !== null && Object.keys(names).length > 0;
    throw new UserError(
      `Unsupported parameters for (${moduleName}) module: ${unsupported.join(", ")}. ` +
        (isSetByRole
          ? "The role that sets them is newer than the module: build it again (npm ci && npm run build in the checkout)."
          : `Supported parameters include: ${supported.join(", ")}.`),
    );
  }
  const given = (name: string): boolean => args.get(name) !== undefined && args.get(name) !== null;
  const missing = supported.filter((name) => table[name]?.required && !given(name));
  if (missing.length > 0) throw new UserError(`missing required arguments: ${missing.join(", ")}. Set them.`);

  const values = Object.entries(table).map(([name, option]) => [
    name,
    given(name) ? convert(name, option, args.get(name)) : option.default,
  ]);
  return Object.fromEntries(values) as Values<Table>;
}

function convert(name: string, option: Option<unknown>, raw: unknown): unknown {
  return withSubject(name, () => option.convert(raw));
}
