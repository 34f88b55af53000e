import { type Action, type Change, reloadOf } from "../core/change";
import { DEFAULT_NETWORK } from "../core/docker_networks";
import { UserError } from "../core/errors";
import type { Module, Plan } from "../core/module";
import { redactSecrets } from "../core/redact";
import { DAEMON_RELOAD } from "../core/systemctl";
import type { DockerFlags } from "../formats/docker_options";
import { checkBridge } from "./bridge_checks";
import { requireExpectedOptions } from "./compare";
import {
  type Configuration,
  currentConfiguration,
  optionsOf,
  optionsToStartWith,
  overriddenFlags,
  readOptions,
  requireReadableDockerOpts,
} from "./configuration";
import { rejectConflicts } from "./conflicts";
import { desiredFlags, flagsOffBridge, flagsToRemove } from "./desired";
import { rejectEscapedQuotes } from "./escaped_quotes";
import { configurationChanges, desiredFiles, dropInChanges, refreshedDropIn } from "./files";
import { observe } from "./observe";
import type { ObservedDocker } from "./observed";
import { type DockerOptions, options } from "./options";
import { desiredOfDaemon, pendingRestart, runningOptions } from "./pending_restart";
import { configure, isOwnedByOthers, type Place } from "./placement";
import { networkChanges } from "./plan_network";
import { restart, wasRestarted } from "./restart/restart";
import { configurationToSave, isOfDaemon, saveConfiguration } from "./restart/rollback";
import { startStoppedContainers } from "./restart/stopped_containers";
import { DROP_IN_PATH } from "./service/docker_service";
import { requireStartable, requireSystemdSocket, requireValidOptions, validateByDocker } from "./validate";

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
  if (options.state === "restarted") {
    return { changes: [...planRestart(observed), ...networkChanges(options, observed)], returns: {} };
  }
  rejectEscapedQuotes(observed);
  const current = currentConfiguration(observed);
  requireReadableDockerOpts(current, service.filePath);
  const absent = options.state === "absent";
  const desired = absent
    ? flagsToRemove(options, optionsOf({ ...current, otherArguments: [] }))
    : desiredOf(options, current);
  const networks = networkChanges(options, observed);
  const place = placeOf(options, observed, current, desired);
  const overridden = overriddenFlags(current, observed);
  const configured = configure(current, desired, {
    place,
    move: options.location !== "auto",
    overrideUnit: new Set(absent ? [] : desiredFlags(options).keys()),
    overridden,
  });
  const files = desiredFiles(current, configured, observed);
  const { configuration } = files;
  const warnings = absent ? [] : [...checkBridge(options, desired, configuration, observed), ...checkSocket(observed)];
  if (!absent) {
    requireValidOptions(desired, version);
    requireSystemdSocket(current, configuration);
    requireStartable(configuration, observed);
  }
  rejectConflicts(configuration, observed);
  requireExpectedOptions(current, desired, files, overridden, observed);

  const fileChanges = configurationChanges(files, observed);
  const reloads = fileChanges.some(({ subject }) => subject === DROP_IN_PATH);
  const pending = absent
    ? pendingRemoval(options, observed, configuration)
    : pendingRestart(desiredOfDaemon(options, observed.daemon), observed.daemon, service.failed);
  // An empty DOCKER_OPTS needs no drop-in, without which the file is not read.
  const isRead = service.readsFile || options.location === "docker_opts" || configuration.dockerOpts !== "";
  return {
    changes: [
      ...startStoppedContainers(observed),
      ...networks.filter(({ pending: by }) => by === undefined),
      ...prependSteps(fileChanges, [...validateByDocker(configuration, version, true), ...saveFiles(observed)]),
      ...(reloads ? [] : reload(observed)),
      ...pending,
      ...networks.filter(({ pending: by }) => by !== undefined),
    ],
    returns: {
      ...(absent ? {} : { network: options.network }),
      path: place === "docker_opts" && isRead ? service.filePath : configPath,
      docker_opts: redactSecrets(configuration.dockerOpts.trim()),
      restart_required: pending.length > 0,
      docker_running: observed.daemon !== null,
    },
    warnings,
  };
}

/** The desired options; with a Docker network on the bridge, the default network leaves it. */
function desiredOf(options: DockerOptions, current: Configuration): DockerFlags {
  const desired = desiredFlags(options);
  if (options.network === DEFAULT_NETWORK) return desired;
  return new Map([...flagsOffBridge(options, optionsOf({ ...current, otherArguments: [] })), ...desired]);
}

function planRestart(observed: ObservedDocker): Change[] {
  rejectEscapedQuotes(observed);
  const dropIn = wasRestarted(observed) ? null : refreshedDropIn(observed);
  const refreshed = dropIn === null ? observed : { ...observed, dropIn };
  const configured = optionsToStartWith(refreshed);
  requireSocketFile(observed, configured);
  return [
    ...(dropIn === null ? reload(observed) : dropInChanges(observed.dropIn, dropIn.content)),
    ...restart(refreshed, configured),
  ];
}

/** Returns warnings. */
function checkSocket({ service: { lostSocket } }: ObservedDocker): string[] {
  return lostSocket === null ? [] : [socketIsGone(lostSocket)];
}

/** Throws a UserError if nobody could connect to Docker after a restart either, as systemd keeps its socket. */
function requireSocketFile({ service: { lostSocket } }: ObservedDocker, configured: DockerFlags): void {
  if (lostSocket !== null && configured.get("host")?.includes("fd://")) throw new UserError(socketIsGone(lostSocket));
}

function socketIsGone(path: string): string {
  return `docker.socket: ${path} must exist while the unit is active (found that it is gone, so nobody can connect to Docker). Run systemctl restart docker.socket, which restarts Docker.`;
}

function placeOf(
  { location }: DockerOptions,
  { dockerOptsIsRead, service, optionsFile }: ObservedDocker,
  current: Configuration,
  desired: DockerFlags,
): Place {
  if (location !== "auto") return location;
  const isOthers =
    dockerOptsIsRead && isOwnedByOthers(current, readOptions(service, optionsFile?.content ?? ""), desired);
  return dockerOptsIsRead && !isOthers ? "docker_opts" : "daemon_json";
}

/** These steps come before all others, if there are any. */
function prependSteps(changes: readonly Change[], steps: readonly Action[]): Change[] {
  return changes.map((change, index) => (index === 0 ? { ...change, actions: [...steps, ...change.actions] } : change));
}

/** Saves the configuration that the daemon runs with, unless it was saved before. */
function saveFiles(observed: ObservedDocker): Action[] {
  const { daemon, saved } = observed;
  return isOfDaemon(saved, daemon?.id ?? null) ? [] : [saveConfiguration(configurationToSave(observed))];
}

/** With state=absent: a restart is pending for options that are removed and that the daemon still has. A stopped Docker needs none. */
function pendingRemoval(options: DockerOptions, { daemon }: ObservedDocker, configuration: Configuration): Change[] {
  if (daemon === null) return [];
  const configured = optionsOf(configuration);
  const removed = [...flagsToRemove(options, runningOptions(daemon))].filter(([name]) => !configured.has(name));
  return pendingRestart(new Map(removed), daemon);
}

function reload({ service }: ObservedDocker): Change[] {
  return service.needsReload ? [reloadOf("docker.service", [DAEMON_RELOAD])] : [];
}
