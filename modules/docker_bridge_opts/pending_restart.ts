import type { Change } from "../core/change";
import { DEFAULT_NETWORK } from "../core/docker_networks";
import { redactSecrets } from "../core/redact";
import { type DockerFlags, meansTheSame } from "../formats/docker_options";
import { NETWORK_OPTIONS } from "./default_network";
import { desiredFlags, flagsOffBridge } from "./desired";
import type { Container, RunningDaemon } from "./observed";
import type { DockerOptions } from "./options";

/**
 * The values of an option in the running daemon. What its API reports of its default network comes first, as a restart
 * under live-restore may keep the network from before; then its command line, then what it read from daemon.json.
 */
export function runningValue(
  { flags, defaultNetwork, configAtStart }: RunningDaemon,
  name: string,
): readonly string[] | undefined | "unknown" {
  for (const source of [defaultNetwork, flags]) {
    if (source?.has(name)) return source.get(name);
  }
  return configAtStart === null ? "unknown" : configAtStart.get(name);
}

/** All options that the running daemon is known to have. */
export function runningOptions({ flags, defaultNetwork, configAtStart }: RunningDaemon): DockerFlags {
  return new Map([...(configAtStart ?? []), ...flags, ...(defaultNetwork ?? [])]);
}

/** The options that the running daemon must have, with state=present: those without values are to go. */
export function desiredOfDaemon(options: DockerOptions, daemon: RunningDaemon | null): DockerFlags {
  const desired = desiredFlags(options);
  if (options.network === DEFAULT_NETWORK || daemon === null) return desired;
  return new Map([...flagsOffBridge(options, runningOptions(daemon)), ...desired]);
}

/**
 * The change that only a restart makes, where the running daemon (null: none runs) has other options than the desired ones. `hasFailed`:
 * whether its unit has failed, so that nobody has stopped it.
 */
export function pendingRestart(desired: DockerFlags, daemon: RunningDaemon | null, hasFailed = false): Change[] {
  const differs = (name: string): boolean => {
    const value = daemon === null ? "unknown" : runningValue(daemon, name);
    return value === "unknown" || !meansTheSame(name, value, desired.get(name));
  };
  if (daemon !== null && ![...desired.keys()].some(differs)) return [];
  return [
    {
      subject: "running dockerd",
      before: daemon === null ? stateWithoutDaemon(hasFailed) : render(desired, (name) => runningValue(daemon, name)),
      after: desired.size === 0 ? "running\n" : render(desired, (name) => desired.get(name)),
      actions: [],
      pending: "a restart of Docker",
      ...restartDisruption(
        daemon,
        NETWORK_OPTIONS.some((name) => desired.has(name) && differs(name)),
      ),
    },
  ];
}

function stateWithoutDaemon(hasFailed: boolean): string {
  return hasFailed ? "failed\n" : "stopped\n";
}

/**
 * What a restart interrupts: how many containers it stops, without Weave's own. Nothing if Docker does not run. `changesNetwork`:
 * whether Docker's default network becomes another one.
 */
export function restartDisruption(daemon: RunningDaemon | null, changesNetwork: boolean): Pick<Change, "disruption"> {
  return daemon === null ? {} : { disruption: describeDisruption(daemon, changesNetwork) };
}

function describeDisruption({ containers, liveRestore }: RunningDaemon, changesNetwork: boolean): string {
  if (containers === null) return "Docker: its restart stops the running containers";
  const others = containers.filter(({ belongsToWeave }) => !belongsToWeave);
  const count = others.length;
  const which = count === 1 ? "1 running container" : `${count || "no"} running containers`;
  if (!liveRestore || count === 0) return `Docker: its restart stops ${which}`;
  if (!changesNetwork) return `Docker: its restart leaves ${which} running (live-restore)`;
  return (
    `Docker: its restart stops ${which} and starts them again, as live-restore would keep them on the previous network` +
    describeRemoved(others)
  );
}

/** The containers that Docker removes when they are stopped, as a sentence that follows another one. */
export function describeRemoved(containers: readonly Container[]): string {
  const names = containers.flatMap(({ name, autoRemove = false }) => (autoRemove ? [name] : []));
  if (names.length === 0) return "";
  return `. Docker removes what docker run --rm started as soon as that stops, so it can't be started again: ${names.join(", ")}`;
}

/** The desired options with these values, one per line. */
function render(desired: DockerFlags, valuesOf: (name: string) => readonly string[] | undefined | "unknown"): string {
  const lines = [...desired.keys()].flatMap((name) => {
    const values = valuesOf(name) ?? [];
    if (values === "unknown") return [`--${name}: unknown (daemon.json was changed after dockerd started)`];
    return values.map((value) => `--${name}=${redactSecrets(value)}`);
  });
  return `${lines.join("\n") || "none of these options"}\n`;
}
