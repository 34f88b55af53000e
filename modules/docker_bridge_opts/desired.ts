import { UserError } from "../core/errors";
import { daemonKeys } from "../formats/daemon_json";
import { parseDockerFlags, strayWords } from "../formats/docker_flags";
import { type DockerFlags, flagOf, flagValues, meansTheSame } from "../formats/docker_options";
import { splitWords } from "../formats/shell_words";
import { NETWORK_OPTIONS } from "./network";
import type { DockerOptions } from "./options";

/**
 * The options that dockerd must have, by their long names. Throws a UserError where `opts` can't be parsed, or differs from
 * a named option.
 */
export function desiredFlags(options: DockerOptions): DockerFlags {
  const flags = new Map(options.opts.trimStart().startsWith("{") ? fromJson(options.opts) : fromLine(options.opts));
  rejectUnsafeValues(flags);
  for (const [option, values] of namedOptions(options)) {
    const name = option.replace("_", "-");
    const other = flags.get(name);
    if (other && !meansTheSame(name, other, values)) {
      throw new UserError(
        `opts: --${name} differs from the option ${option} (${other.join(", ")} in opts, ${values.join(", ")} in ${option}). Set it in one place.`,
      );
    }
    flags.set(name, values);
  }
  return flags;
}

/** Neither an environment file, a unit nor a shell changes a value without these characters. */
function rejectUnsafeValues(flags: DockerFlags): void {
  const unsafe = [...flags].find(([, values]) => values.some((value) => /[^\x21-\x7e]|["'\\$`]/.test(value)));
  if (unsafe) {
    throw new UserError(
      `opts: --${unsafe[0]} has a value with white space, a quote, "\\", "$" or a character that is not ASCII. Set that option in daemon.json by hand.`,
    );
  }
}

function fromLine(opts: string): DockerFlags {
  const words = splitWords(opts);
  // An unclosed quote or a backslash at the end would include the next word.
  if (splitWords(`${opts} x`).length === words.length) {
    throw new UserError("opts: there is an unclosed quote, or a backslash at the end. Close or remove it.");
  }
  const flags = parseDockerFlags(words);
  const [stray] = strayWords(words);
  if (stray) {
    const what = parseDockerFlags([stray]).size > 0 ? "needs a value" : "is not an option of dockerd";
    throw new UserError(`opts: "${stray.raw}" ${what}. Write options as --name=value.`);
  }
  return flags;
}

function fromJson(opts: string): DockerFlags {
  return new Map(
    [...keysOf(opts)].map(([key, value]) => {
      const values = flagValues(key, value);
      if (values === null) {
        throw new UserError(
          `opts: the key "${key}" is not supported with this value. Correct it, or set it in daemon.json by hand.`,
        );
      }
      return [flagOf(key), values] as const;
    }),
  );
}

function keysOf(opts: string): ReadonlyMap<string, unknown> {
  try {
    return daemonKeys(opts);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`opts: ${error.message}`) : error;
  }
}

function namedOptions({ bridge, fixed_cidr, dns, dns_search, mtu }: DockerOptions): [string, readonly string[]][] {
  const given: [option: string, values: readonly string[] | null][] = [
    ["bridge", bridge === null ? null : [bridge]],
    ["fixed_cidr", fixed_cidr === null ? null : [fixed_cidr]],
    ["dns", dns],
    ["dns_search", dns_search],
    ["mtu", mtu === null ? null : [String(mtu)]],
  ];
  return given.flatMap(([option, values]) => (values === null ? [] : [[option, values]]));
}

/**
 * What state=absent removes from the present options, each without values: the options of the default network if that is on
 * the bridge, and others that have the given value.
 */
export function flagsToRemove(options: DockerOptions, present: DockerFlags): DockerFlags {
  const given = desiredFlags(options);
  const onBridge = meansTheSame("bridge", present.get("bridge"), given.get("bridge") ?? ["weave"]);
  const others = [...given.keys()].filter(
    (name) =>
      present.has(name) && !NETWORK_OPTIONS.includes(name) && meansTheSame(name, present.get(name), given.get(name)),
  );
  const names = [...(onBridge ? NETWORK_OPTIONS.filter((name) => present.has(name)) : []), ...others];
  return new Map(names.map((name) => [name, []]));
}
