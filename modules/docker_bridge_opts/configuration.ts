import { daemonOptions, withDaemonOptions } from "../formats/daemon_json";
import { parseDockerFlags, withDockerFlags, withoutDockerFlags } from "../formats/docker_flags";
import { type DockerFlags, meansTheSame } from "../formats/docker_options";
import { splitWords } from "../formats/shell_words";
import { unitSettings } from "../formats/systemd_ini";

/** All the texts that dockerd gets its options from. */
export interface Configuration {
  /** The command line of its unit, without what comes by DOCKER_OPTS; "" where a script starts it. */
  readonly command: string;
  /** DOCKER_OPTS. */
  readonly line: string;
  /** daemon.json; "" where there is none. */
  readonly config: string;
}

/** The names of the flags that a drop-in leaves out of the unit's command line. */
export function leftOut(command: string, dropIn: string): ReadonlySet<string> {
  const own = unitSettings([dropIn], "Service", "ExecStart").at(-1);
  const left = own === undefined ? null : parseDockerFlags(splitWords(own));
  return new Set([...parseDockerFlags(splitWords(command)).keys()].filter((name) => left && !left.has(name)));
}

export type Place = "line" | "config";

/** The flags of the command line and of DOCKER_OPTS. */
export function flagsOf({ command, line }: Configuration): DockerFlags {
  return parseDockerFlags([...splitWords(command), ...splitWords(line)]);
}

/** All options, by their names as flags. */
export function optionsOf(configuration: Configuration): DockerFlags {
  return new Map([...daemonOptions(configuration.config), ...flagsOf(configuration)]);
}

/** Where options go. */
export interface Placing {
  /** Where a new option goes. */
  readonly usual: Place;
  /** Whether one that is elsewhere is moved there. */
  readonly always: boolean;
  /** Whether what the unit sets to another value is left out of its command line. */
  readonly overUnit: boolean;
  /** The flags that are left out of it already, which they stay for as long as they are set elsewhere. */
  readonly alreadyOut: ReadonlySet<string>;
}

/**
 * Takes what is configured and the options that dockerd is to have. Returns the configuration that gives it these, each in
 * one place alone, with everything else as it is.
 */
export function configure(
  present: Configuration,
  wanted: DockerFlags,
  { usual, always, overUnit, alreadyOut }: Placing,
): Configuration {
  const inCommand = parseDockerFlags(splitWords(present.command));
  const inLine = parseDockerFlags(splitWords(present.line));
  const inConfig = daemonOptions(present.config);
  const [toLine, toConfig] = [new Map<string, readonly string[]>(), new Map<string, readonly string[]>()];
  const offCommand = new Set(
    [...alreadyOut].filter((name) => !wanted.has(name) && (inLine.has(name) || inConfig.has(name))),
  );
  for (const [name, values] of wanted) {
    const byUnit = inCommand.has(name) && values.length > 0 && meansTheSame(name, inCommand.get(name), values);
    if (overUnit && inCommand.has(name) && !byUnit) offCommand.add(name);
    const here = inLine.has(name) ? "line" : inConfig.has(name) ? "config" : usual;
    const where = byUnit ? null : always ? usual : here;
    toLine.set(name, where === "line" ? values : []);
    toConfig.set(name, where === "config" ? values : []);
  }
  const offLine = new Set([...toLine].filter(([, values]) => values.length === 0).map(([name]) => name));
  return {
    command: withoutDockerFlags(present.command, offCommand),
    line: withDockerFlags(withoutDockerFlags(present.line, offLine), toLine),
    config: withDaemonOptions(present.config, toConfig),
  };
}
