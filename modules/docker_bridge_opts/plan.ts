import type { Action, Change } from "../core/change";
import type { Module, Plan } from "../core/module";
import { redactSecrets } from "../core/redact";
import type { DockerFlags } from "../formats/docker_options";
import {
  type Configuration,
  configure,
  optionsOf,
  overriddenFlags,
  type Place,
  presentConfiguration,
} from "./command_line";
import { desiredFlags, flagsToRemove } from "./desired";
import { configurationChanges, DAEMON_RELOAD, DROP_IN_PATH } from "./files";
import { observe } from "./observe";
import type { ObservedDocker } from "./observed";
import { type DockerOptions, options } from "./options";
import { pendingRestart, runningOptions } from "./pending_restart";
import { restart } from "./restart";
import { isCurrent, presentFiles, savePrevious } from "./rollback";
import { stoppedBefore } from "./stopped_containers";
import { requireStartableFile, requireUsableFile } from "./usable_file";
import {
  rejectConflicts,
  requireSubnetOfBridge,
  requireSystemdSocket,
  requireValidOptions,
  validateByDocker,
} from "./validate";

/** The module that sets dockerd's options, where this host's dockerd reads them. */
export const dockerBridgeOpts: Module<typeof options, ObservedDocker> = {
  name: "docker_bridge_opts",
  options,
  observe,
  plan,
};

/**
 * Plans the changes of the files that dockerd reads, and finds a pending restart. Throws a UserError for options that dockerd
 * would not start with.
 */
export function plan(options: DockerOptions, observed: ObservedDocker): Plan {
  const { service, configPath, version } = observed;
  const present = presentConfiguration(observed);
  if (options.state === "restarted") {
    requireStartableFile(observed);
    return { changes: [...reload(observed), ...restart(observed, optionsOf(present))], facts: {} };
  }
  requireUsableFile(observed);
  const absent = options.state === "absent";
  const desired = absent ? flagsToRemove(options, optionsOf({ ...present, command: "" })) : desiredFlags(options);
  const warnings = absent ? [] : checkSubnet(options, desired, observed);
  const place = placeOf(options, observed);
  const configuration = configure(present, desired, {
    place,
    move: options.location !== "auto",
    overrideUnit: !absent,
    overridden: overriddenFlags(present.command, observed.dropIn?.content ?? ""),
  });
  if (!absent) {
    requireValidOptions(desired, version);
    requireSystemdSocket(present, configuration);
  }
  rejectConflicts(configuration, configPath);

  const files = configurationChanges(present, configuration, observed);
  const reloads = files.some(({ subject }) => subject === DROP_IN_PATH);
  const pending = absent ? pendingRemoval(options, observed, configuration) : pendingRestart(desired, observed.daemon);
  // An empty DOCKER_OPTS needs no drop-in, without which the file is not read.
  const isRead = service.readsFile || options.location === "docker_opts" || configuration.line !== "";
  return {
    changes: [
      ...stoppedBefore(observed),
      ...withFirstSteps(files, [...validateByDocker(configuration, version), ...saveFiles(observed)]),
      ...(reloads ? [] : reload(observed)),
      ...pending,
    ],
    facts: {
      path: place === "docker_opts" && isRead ? service.filePath : configPath,
      docker_opts: redactSecrets(configuration.line),
      restart_required: pending.length > 0,
    },
    warnings,
  };
}

function placeOf({ location }: DockerOptions, { lineIsRead }: ObservedDocker): Place {
  if (location !== "auto") return location;
  return lineIsRead ? "docker_opts" : "daemon_json";
}

/** Returns warnings. Throws a UserError where containers would get addresses that other hosts use. */
function checkSubnet({ bridge_address }: DockerOptions, desired: DockerFlags, observed: ObservedDocker): string[] {
  const [address = null] = bridge_address === null ? observed.bridgeAddresses : [bridge_address];
  requireSubnetOfBridge(desired, address);
  const [bridge] = desired.get("bridge") ?? [];
  return address === null && bridge !== undefined
    ? [`The bridge ${bridge} has no IPv4 address yet. dockerd does not start without one.`]
    : [];
}

/** These steps come before all others, if there are any. */
function withFirstSteps(changes: readonly Change[], steps: readonly Action[]): Change[] {
  return changes.map((change, index) => (index === 0 ? { ...change, actions: [...steps, ...change.actions] } : change));
}

/** Saves the configuration that the daemon runs with, unless it was saved before. */
function saveFiles(observed: ObservedDocker): Action[] {
  const { daemon, previous } = observed;
  return isCurrent(previous, daemon?.id ?? null) ? [] : [savePrevious(presentFiles(observed))];
}

/** With state=absent: a restart is pending for options that are removed and that the daemon still has. A stopped Docker needs none. */
function pendingRemoval(options: DockerOptions, { daemon }: ObservedDocker, configuration: Configuration): Change[] {
  if (daemon === null) return [];
  const configured = optionsOf(configuration);
  const removed = [...flagsToRemove(options, runningOptions(daemon))].filter(([name]) => !configured.has(name));
  return pendingRestart(new Map(removed), daemon);
}

function reload({ service }: ObservedDocker): Change[] {
  if (!service.needsReload) return [];
  return [
    {
      subject: "docker.service, as loaded by systemd",
      before: "older than its files\n",
      after: "the same as its files\n",
      actions: [DAEMON_RELOAD],
    },
  ];
}
