import type { Option } from "./option";
import { Refusal } from "./refusal";

export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The typed values of a table's options. */
export type Values<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer Value> ? Value : never;
};

/**
 * Takes a module's name, its options table and the arguments that it was called with (option name to JSON value, without
 * Ansible's own `_ansible_*` ones). Returns the options' values, defaults filled in; as in Ansible, null means left out.
 * Throws a Refusal that names the option, in the words that Ansible's own modules use where there are such.
 */
export function parseOptions<Table extends OptionTable>(
  moduleName: string,
  table: Table,
  args: ReadonlyMap<string, unknown>,
): Values<Table> {
  const supported = Object.keys(table).sort();
  const unsupported = [...args.keys()].filter((name) => !Object.hasOwn(table, name));
  if (unsupported.length > 0) {
    throw new Refusal(
      `Unsupported parameters for (${moduleName}) module: ${unsupported.join(", ")}. ` +
        `Supported parameters include: ${supported.join(", ")}.`,
    );
  }
  const given = (name: string): boolean => args.get(name) !== undefined && args.get(name) !== null;
  const missing = supported.filter((name) => table[name]?.required && !given(name));
  if (missing.length > 0) throw new Refusal(`missing required arguments: ${missing.join(", ")}`);

  const values = Object.entries(table).map(([name, option]) => [
    name,
    given(name) ? convert(name, option, args.get(name)) : option.default,
  ]);
  return Object.fromEntries(values) as Values<Table>;
}

function convert(name: string, option: Option<unknown>, raw: unknown): unknown {
  try {
    return option.convert(raw);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(
      option.secret ? `${name}: the value is not usable (not shown, as it is secret)` : `${name}: ${error.message}`,
    );
  }
}
