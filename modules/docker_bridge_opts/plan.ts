import { type Change, fileChanges } from "../core/change";
import type { Plan } from "../core/module";
import { type DockerFlags, meansTheSame, withDockerFlags } from "../formats/docker_flags";
import { environmentValue, withEnvironmentValue } from "../formats/environment_file";
import type { ObservedDocker } from "./observe";
import type { DockerOptions } from "./options";
import { refuseForeignSubnet, wantedFlags } from "./wanted";

const VARIABLE = "DOCKER_OPTS";

/** Decides what the file that dockerd reads is to say, and whether the running daemon owes a restart. */
export function plan(options: DockerOptions, observed: ObservedDocker): Plan {
  const flags = wantedFlags(options);
  const [bridgeAddress = null] = options.bridge_address === null ? observed.bridgeAddresses : [options.bridge_address];
  refuseForeignSubnet(flags, bridgeAddress);

  const content = observed.file?.content ?? "";
  const line = environmentValue(content, VARIABLE) ?? "";
  const wantedLine = withDockerFlags(line, flags);
  const wantedContent =
    wantedLine === line ? observed.file?.content : withEnvironmentValue(content, VARIABLE, wantedLine);
  const [bridge] = flags.get("bridge") ?? [];
  const owed = restartOwed(flags, observed.running);
  return {
    changes: [
      ...fileChanges(observed.file, { path: observed.environmentFile, content: wantedContent ?? null }),
      ...owed,
    ],
    facts: { path: observed.environmentFile, docker_opts: wantedLine, restart_required: owed.length > 0 },
    warnings:
      bridgeAddress === null && bridge !== undefined
        ? [`The bridge ${bridge} has no IPv4 address yet; dockerd does not start without.`]
        : [],
  };
}

/** The daemon that runs is what counts: a restart that an interrupted run still owes is found by the next. */
function restartOwed(wanted: DockerFlags, running: DockerFlags | null): Change[] {
  const differs = (name: string): boolean => !meansTheSame(name, running?.get(name), wanted.get(name));
  if (running !== null && ![...wanted.keys()].some(differs)) return [];
  return [
    {
      subject: "dockerd, as it runs",
      before: running === null ? "stopped\n" : show(running, wanted),
      after: show(wanted, wanted),
      actions: [],
      madeBy: "a restart of Docker",
      disrupts: "Docker: its restart stops the containers that run",
    },
  ];
}

/** One option a line, of those that are managed. */
function show(flags: DockerFlags, managed: DockerFlags): string {
  const lines = [...managed.keys()].flatMap((name) => (flags.get(name) ?? []).map((value) => `--${name}=${value}`));
  return `${lines.join("\n") || "none of these options"}\n`;
}
