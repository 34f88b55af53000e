import type { Change } from "../core/change";
import { redactSecrets } from "../core/redact";
import { type DockerFlags, meansTheSame } from "../formats/docker_options";
import type { RunningDaemon } from "./daemon";

/** What Docker's default network is made by. Its API tells of these. */
const OF_THE_NETWORK = ["bridge", "fixed-cidr", "mtu"];

/**
 * An option of the running daemon as far as it is known: its own word on its default network counts, which a restart leaves
 * as it was where containers outlive it; then its command line, then what it read from daemon.json.
 */
export function runningValue(
  { flags, network, file }: RunningDaemon,
  name: string,
): readonly string[] | undefined | "unknown" {
  for (const source of [network, flags]) {
    if (source?.has(name)) return source.get(name);
  }
  return file === null ? "unknown" : file.get(name);
}

/** All options that the running daemon is known to have. */
export function runningOptions({ flags, network, file }: RunningDaemon): DockerFlags {
  return new Map([...(file ?? []), ...flags, ...(network ?? [])]);
}

/** Whether the default network is to be another one than the daemon has. */
export function networkDiffers(wanted: DockerFlags, { network }: RunningDaemon): boolean {
  return OF_THE_NETWORK.some((name) => network && !meansTheSame(name, network.get(name), wanted.get(name)));
}

/** Decides whether the daemon that runs owes a restart for the options that it is to have: the change that finds it, or none. */
export function restartOwed(wanted: DockerFlags, daemon: RunningDaemon | null): Change[] {
  const differs = (name: string): boolean => {
    const value = daemon === null ? "unknown" : runningValue(daemon, name);
    return value === "unknown" || !meansTheSame(name, value, wanted.get(name));
  };
  if (daemon !== null && ![...wanted.keys()].some(differs)) return [];
  const before = daemon && ((name: string) => runningValue(daemon, name));
  return [
    {
      subject: "dockerd, as it runs",
      before: before === null ? "stopped\n" : show(wanted, before),
      after: show(wanted, (name) => wanted.get(name)),
      actions: [],
      pending: "a restart of Docker",
      disruption: interruption(
        daemon,
        OF_THE_NETWORK.some((name) => wanted.has(name) && differs(name)),
      ),
    },
  ];
}

/** What a restart interrupts, with how many containers it stops beside Weave's own; `network` tells whether it changes the default network. */
export function interruption(daemon: RunningDaemon | null, network: boolean): string {
  if (daemon === null) return "nothing: Docker does not run, and is started";
  const { containers, liveRestore } = daemon;
  if (containers === null) return "Docker: its restart stops the containers that run";
  const count = containers.filter(({ isWeaves }) => !isWeaves).length;
  const which = count === 1 ? "1 running container" : `${count || "no"} running containers`;
  if (!liveRestore || count === 0) return `Docker: its restart stops ${which}`;
  return network
    ? `Docker: its restart stops ${which} and starts them again, as live-restore would keep them on the network from before`
    : `Docker: its restart leaves ${which} running (live-restore)`;
}

/** One option a line, of those that are managed. */
function show(wanted: DockerFlags, values: (name: string) => readonly string[] | undefined | "unknown"): string {
  const lines = [...wanted.keys()].flatMap((name) => {
    const found = values(name) ?? [];
    if (found === "unknown") return [`--${name}: not known, as daemon.json is newer than the daemon`];
    return found.map((value) => `--${name}=${redactSecrets(value)}`);
  });
  return `${lines.join("\n") || "none of these options"}\n`;
}
