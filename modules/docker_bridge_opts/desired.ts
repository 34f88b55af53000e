import { UserError } from "../core/errors";
import { daemonKeys } from "../formats/daemon_json";
import { parseDockerFlags, strayWords } from "../formats/docker_flags";
import { type DockerFlags, flagOf, flagValues, meansTheSame } from "../formats/docker_options";
import { splitWords } from "../formats/shell_words";
import { contains, ipv4Network, networkOf } from "../net/ipv4";
import type { DockerOptions } from "./options";

/**
 * Takes the module's options; returns the options that dockerd is to have, by their long names. Throws a UserError where
 * `opts` can't be read, or says something else than an option of its own name.
 */
export function wantedFlags(options: DockerOptions): DockerFlags {
  const raw = options.opts.trimStart().startsWith("{") ? fromJson(options.opts) : fromLine(options.opts);
  const unsafe = [...raw].find(([, values]) => values.some((value) => /[^\x21-\x7e]|["'\\$`]/.test(value)));
  if (unsafe) {
    throw new UserError(
      `opts: a value of --${unsafe[0]} has white space, quotes, "\\", "$" or a letter beyond ASCII in it; give dockerd that option in daemon.json`,
    );
  }
  const flags = new Map(raw);
  for (const [name, values] of named(options)) {
    const other = flags.get(name);
    if (other && !meansTheSame(name, other, values)) {
      throw new UserError(
        `opts: --${name} is ${other.join(", ")} there and ${values.join(", ")} by its own name; give it once`,
      );
    }
    flags.set(name, values);
  }
  return flags;
}

function fromLine(opts: string): DockerFlags {
  const words = splitWords(opts);
  // What is open at the end would take in what comes after it.
  if (splitWords(`${opts} x`).length === words.length) {
    throw new UserError(
      "opts: a quote in it is never closed, or a backslash stands at its end; close it, or take it out",
    );
  }
  const flags = parseDockerFlags(words);
  const [stray] = strayWords(words);
  if (stray) {
    const what = parseDockerFlags([stray]).size > 0 ? "lacks its value" : "is no option of dockerd";
    throw new UserError(`opts: "${stray.raw}" ${what}; write options as --name=value`);
  }
  return flags;
}

function fromJson(opts: string): DockerFlags {
  return new Map(
    [...keysOf(opts)].map(([key, value]) => {
      const values = flagValues(key, value);
      if (values === null) {
        throw new UserError(
          `opts: the key "${key}" with this value is none that can be given here; correct it, or give it in daemon.json by hand`,
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

/** The options that go with the bridge: on another one they make no sense. */
const OF_THE_BRIDGE = ["bridge", "fixed-cidr", "mtu"];

/**
 * Takes the module's options and those that dockerd has; returns the latter's part that is to be taken out, each without
 * values: what belongs to the bridge if it is on it, and what has the very value given.
 */
export function flagsToTakeOut(options: DockerOptions, present: DockerFlags): DockerFlags {
  const given = wantedFlags(options);
  const onBridge = meansTheSame("bridge", present.get("bridge"), given.get("bridge") ?? ["weave"]);
  const others = [...given.keys()].filter(
    (name) =>
      present.has(name) && !OF_THE_BRIDGE.includes(name) && meansTheSame(name, present.get(name), given.get(name)),
  );
  const names = [...(onBridge ? OF_THE_BRIDGE.filter((name) => present.has(name)) : []), ...others];
  return new Map(names.map((name) => [name, []]));
}

function named({
  bridge,
  fixed_cidr,
  dns,
  dns_search,
  mtu,
}: DockerOptions): [name: string, values: readonly string[]][] {
  const given: [string, readonly string[] | null][] = [
    ["bridge", bridge === null ? null : [bridge]],
    ["fixed-cidr", fixed_cidr === null ? null : [fixed_cidr]],
    ["dns", dns],
    ["dns-search", dns_search],
    ["mtu", mtu === null ? null : [String(mtu)]],
  ];
  return given.flatMap(([name, values]) => (values === null ? [] : [[name, values]]));
}

/** Throws a UserError where containers would get addresses from outside the bridge's network. */
export function refuseForeignSubnet(flags: DockerFlags, bridgeAddress: string | null): void {
  const [subnet] = flags.get("fixed-cidr") ?? [];
  if (subnet === undefined) return;
  try {
    ipv4Network(subnet);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`fixed-cidr: ${error.message}`) : error;
  }
  if (bridgeAddress !== null && !contains(networkOf(bridgeAddress), subnet)) {
    throw new UserError(
      `fixed_cidr: "${subnet}" is outside the bridge's network ${networkOf(bridgeAddress)} (its address is ${bridgeAddress}); ` +
        "dockerd would ignore it and give out addresses that other hosts use. Give a subnet of that network",
    );
  }
}
