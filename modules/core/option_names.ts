import { UserError } from "./errors";
import { dict, show } from "./options";

/** The row that every module's table has. */
export const optionNames = dict(
  {
    description:
      "How messages name the options of this module, such as C({network: weave_network}): for a role that sets them from its own " +
      "variables.",
    default: {},
  },
  word,
  // Or a flag.
  (text) => (/^--[a-z][a-z-]{0,99}$/.test(text) ? text : word(text)),
);

function word(text: string): string {
  if (/^[a-z][\w' ]{0,99}$/.test(text)) return text;
  throw new UserError(`must have names only (found ${show(text)}). Write each as {option: variable}.`);
}

export type OptionNames = Readonly<Record<string, string>>;

/** The names among a module's arguments. A wrong value means no names: the message about it, or about another option, is shown. */
export function namesGiven(args: ReadonlyMap<string, unknown>): OptionNames {
  try {
    return optionNames.convert(args.get("option_names") ?? {});
  } catch {
    return {};
  }
}

/**
 * A message for the operator. An option that it begins with (`name: …`), or that is marked as I(name) in it, is named as `names` say,
 * or by its own name. A flag's value follows it as on a command line: `--mode proxy`, not `--mode: proxy`.
 */
export function nameOptions(message: string, names: OptionNames): string {
  const own = new Map(Object.entries(names));
  return message.replace(/^[a-z_]+(?=: )|I\(([a-z_]+)\)(: (?=\w))?/g, (found, marked = found, value = "") => {
    const name = own.get(marked) ?? marked;
    return value !== "" && name.startsWith("--") ? `${name} ` : name + value;
  });
}
