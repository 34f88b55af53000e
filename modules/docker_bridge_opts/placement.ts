import { UserError } from "../core/errors";
import { redactSecrets } from "../core/redact";
import { daemonOptions, withDaemonOptions } from "../formats/daemon_json";
import {
  parseDockerFlags,
  withDockerFlags,
  withoutDockerFlags,
  wordsOfFlags,
  wordsWithoutFlags,
} from "../formats/docker_flags";
import { type DockerFlags, jsonValue, keyOf, meansTheSame } from "../formats/docker_options";
import { type Configuration, type DockerOptsValue, dockerOptsWords } from "./configuration";
import { nameOrigin } from "./service/docker_service";

/**
 * Whether DOCKER_OPTS is one line that somebody else keeps: with options, but with none of the desired ones. Its owner puts it back
 * whenever it is changed, and of two plain lines systemd takes only the last, so these options have to go into daemon.json. False
 * where that can't express them, or where fd:// of the command line would clash with it.
 */
export function isOwnedByOthers(
  current: Configuration,
  { refersToVariables }: DockerOptsValue,
  desired: DockerFlags,
): boolean {
  const inLine = parseDockerFlags(dockerOptsWords(current));
  const added = [...desired].filter(([name, values]) => !meansTheSame(name, undefined, values));
  const others = [...inLine.keys()].filter((name) => desired.get(name)?.length !== 0);
  if (refersToVariables || others.length === 0 || added.length === 0) return false;
  return added.every(
    ([name, values]) => !inLine.has(name) && name !== "host" && jsonValue(keyOf(name, values), values) !== undefined,
  );
}

export type Place = "docker_opts" | "daemon_json";

/** Where `configure` puts options. */
export interface Placement {
  /** Where a new option goes. */
  readonly place: Place;
  /** Whether an option that is set elsewhere is moved there. */
  readonly move: boolean;
  /** The options that are removed from the unit's command line where it sets them to another value. */
  readonly overrideUnit: ReadonlySet<string>;
  /** The flags that are removed from it already; they stay removed while they are set elsewhere. */
  readonly overridden: ReadonlySet<string>;
}

/** The desired configuration, and what changes in DOCKER_OPTS: options without values are removed. */
export interface Configured {
  readonly configuration: Configuration;
  readonly toDockerOpts: DockerFlags;
}

/**
 * The configuration that gives dockerd the desired options, each in one place only; everything else is unchanged. An option
 * without values is removed. Throws a UserError if daemon.json can't express an option, or where a variable of the unit's sets
 * it to another value.
 */
export function configure(
  current: Configuration,
  desired: DockerFlags,
  { place, move, overrideUnit, overridden }: Placement,
): Configured {
  const inUnit = parseDockerFlags(current.otherArguments);
  const inLine = parseDockerFlags(dockerOptsWords(current));
  const inConfig = daemonOptions(current.config);
  const [toDockerOpts, toConfig] = [new Map<string, readonly string[]>(), new Map<string, readonly string[]>()];
  const removedFromUnit = new Set(
    [...overridden].filter((name) => !desired.has(name) && (inLine.has(name) || inConfig.has(name))),
  );
  for (const [name, values] of desired) {
    const setByUnit = inUnit.has(name) && values.length > 0 && meansTheSame(name, inUnit.get(name), values);
    if (overrideUnit.has(name) && inUnit.has(name) && !setByUnit) removedFromUnit.add(name);
    const setIn = inLine.has(name) ? "docker_opts" : inConfig.has(name) ? "daemon_json" : place;
    const target = setByUnit ? null : move ? place : setIn;
    toDockerOpts.set(name, target === "docker_opts" ? values : []);
    toConfig.set(name, target === "daemon_json" ? values : []);
  }
  requireRemovable(current, removedFromUnit);
  const removedFromDockerOpts = new Set(
    [...toDockerOpts].filter(([, values]) => values.length === 0).map(([name]) => name),
  );
  const split = current.split && { ...current.split, at: keptBefore(current, removedFromUnit) };
  const configuration: Configuration = {
    ...current,
    split,
    otherArguments: wordsWithoutFlags(current.otherArguments, removedFromUnit),
    dockerOpts: withDockerFlags(withoutDockerFlags(current.dockerOpts, removedFromDockerOpts), toDockerOpts),
    config: withDaemonOptions(current.config, toConfig),
  };
  return { configuration, toDockerOpts };
}

function keptBefore({ otherArguments, split }: Configuration, off: ReadonlySet<string>): number {
  return wordsWithoutFlags(otherArguments.slice(0, split?.at ?? otherArguments.length), off).length;
}

/** Only flags that are written in ExecStart= itself can be left out by a drop-in. */
function requireRemovable({ unit, otherArguments }: Configuration, names: ReadonlySet<string>): void {
  for (const name of names) {
    const set = wordsOfFlags(otherArguments, new Set([name]));
    const notRemovable = set.find(({ origin }) => origin.variable !== null) ?? (unit?.byShell ? set[0] : undefined);
    if (notRemovable === undefined) continue;
    const values = parseDockerFlags(otherArguments).get(name) ?? [];
    throw new UserError(
      `--${name}: must not be set by Docker's unit to another value (found ` +
        `${redactSecrets(`--${name}=${values.join(", ")}`).replace(/^[^=]*=/, "")} in ${nameOrigin(notRemovable.origin)}). Remove it ` +
        "there, or set the same value here.",
    );
  }
}
