import { DEFAULT_NETWORK } from "../core/docker_networks";
import { UserError, withSubject } from "../core/errors";
import { daemonKeys } from "../formats/daemon_json";
import { invalidWords, parseDockerFlags } from "../formats/docker_flags";
import { type DockerFlags, flagOf, flagValues, isKnownOption, meansTheSame } from "../formats/docker_options";
import { splitWords } from "../formats/shell_words";
import { NETWORK_OPTIONS } from "./default_network";
import type { DockerOptions } from "./options";

/**
 * The options that dockerd must have, by their long names. Throws a UserError if `opts` can't be parsed, or differs from
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
        `opts: --${name} must be the same as I(${option}) (found ${other.join(", ")} in I(opts), ${values.join(", ")} in I(${option})). Set it in one place.`,
      );
    }
    flags.set(name, values);
  }
  if (
    options.network !== DEFAULT_NETWORK &&
    options.bridge !== null &&
    flags.get("bridge")?.at(-1) === options.bridge
  ) {
    throw new UserError(
      `opts: must not have --bridge=${options.bridge} with I(network): ${options.network}, as a bridge has one network only (found ` +
        "both). Remove --bridge and --fixed-cidr.",
    );
  }
  return flags;
}

/** Which bridge options that name none are about. */
export const DEFAULT_BRIDGE = "weave";

/** The bridge that the options name, in either way. Throws a UserError if `opts` can't be parsed. */
export function bridgeOf(options: DockerOptions): string | null {
  return options.bridge ?? desiredFlags(options).get("bridge")?.at(-1) ?? null;
}

/** What takes the default network off the bridge: the present options that define it there, each without values. Throws as bridgeOf(). */
export function flagsOffBridge(options: DockerOptions, current: DockerFlags): DockerFlags {
  if (!meansTheSame("bridge", current.get("bridge"), [bridgeOf(options) ?? DEFAULT_BRIDGE])) return new Map();
  return new Map(NETWORK_OPTIONS.filter((name) => current.has(name)).map((name) => [name, []]));
}

/** Neither an environment file, a unit nor a shell changes a value without these characters. */
function rejectUnsafeValues(flags: DockerFlags): void {
  const unsafe = [...flags].find(([, values]) => values.some((value) => /[^\x21-\x7e]|["'\\$`]/.test(value)));
  if (unsafe) {
    throw new UserError(
      `opts: --${unsafe[0]} must have no white space, quotes, "\\", "$" or characters other than ASCII (found one; the value is ` +
        "not shown). Set that option in daemon.json by hand.",
    );
  }
}

function fromLine(opts: string): DockerFlags {
  const words = splitWords(opts);
  // An unclosed quote or a backslash at the end would include the next word.
  if (splitWords(`${opts} x`).length === words.length) {
    throw new UserError(
      "opts: quotes must be closed (found an open one, or a backslash at the end). Close or remove it.",
    );
  }
  const flags = parseDockerFlags(words);
  const [stray] = invalidWords(words);
  if (stray) {
    const found = `"${stray.raw}"${parseDockerFlags([stray]).size > 0 ? " without a value" : ""}`;
    throw new UserError(`opts: must have options of dockerd (found ${found}). Write each as --name=value.`);
  }
  return flags;
}

function fromJson(opts: string): DockerFlags {
  return new Map(
    [...withSubject("opts", () => daemonKeys(opts))].map(([key, value]) => {
      const values = flagValues(key, value);
      if (values === null) {
        const wrong = isKnownOption(flagOf(key))
          ? "must have a value that its flag can have (found another, not shown)"
          : "must be an option of dockerd (found an unknown one)";
        throw new UserError(`opts: "${key}" ${wrong}. Correct it, or set it in daemon.json by hand.`);
      }
      return [flagOf(key), values] as const;
    }),
  );
}

function namedOptions(options: DockerOptions): [string, readonly string[]][] {
  const { network, bridge, fixed_cidr, dns, dns_search, mtu } = options;
  // They define a Docker network instead.
  const ofDefault = network === DEFAULT_NETWORK;
  const given: [option: string, values: readonly string[] | null][] = [
    ["bridge", bridge === null || !ofDefault ? null : [bridge]],
    ["fixed_cidr", fixed_cidr === null || !ofDefault ? null : [fixed_cidr]],
    ["dns", dns],
    ["dns_search", dns_search],
    ["mtu", mtu === null || !ofDefault ? null : [String(mtu)]],
  ];
  return given.flatMap(([option, values]) => (values === null ? [] : [[option, values]]));
}

/**
 * What state=absent removes from the present options, each without values: the options of the default network if that is on
 * the bridge, and others that have the given value.
 */
export function flagsToRemove(options: DockerOptions, current: DockerFlags): DockerFlags {
  const given = desiredFlags(options);
  const others = [...given.keys()].filter(
    (name) =>
      current.has(name) && !NETWORK_OPTIONS.includes(name) && meansTheSame(name, current.get(name), given.get(name)),
  );
  return new Map([...flagsOffBridge(options, current), ...others.map((name) => [name, []] as const)]);
}
