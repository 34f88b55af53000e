import type { Action, Change, Daemon } from "../../core/change";
import { DOCKER } from "../../core/docker";
import type { DockerFlags } from "../../formats/docker_options";
import { defaultNetworkDiffers } from "../default_network";
import type { Container, ObservedDocker, SavedConfiguration } from "../observed";
import { describeRemoved } from "../pending_restart";
import { DELETE_SAVED_CONFIGURATION, saveConfiguration } from "./rollback";

/** For all containers together. Docker kills one that has not ended within 10 s. */
const SECONDS = 60;

/**
 * The containers that a restart has to stop itself. Docker keeps its default network while any container runs ("There are old
 * running containers, the network config will not take affect"), so those that live-restore would keep running are stopped for
 * another network.
 */
export function containersToStop({ daemon }: ObservedDocker, configured: DockerFlags): readonly Container[] {
  return daemon?.liveRestore && defaultNetworkDiffers(configured, daemon) ? (daemon.containers ?? []) : [];
}

/** The containers that are started after a restart: not what Docker removes when it stops, but also what an earlier restart has stopped. */
export function containersToStart(toStop: readonly Container[], { saved }: ObservedDocker): readonly Container[] {
  const ids = new Set(toStop.map(({ id }) => id));
  return [...withoutRemoved(toStop), ...(saved?.stopped ?? []).filter(({ id }) => !ids.has(id))];
}

/**
 * Stops the containers. If one can't be stopped, all are started again, and Docker keeps running. They stay saved, as Docker may stop that
 * one later: then the next run starts it.
 */
export function stopAll(containers: readonly Container[], observed: ObservedDocker): Action[] {
  if (containers.length === 0) return [];
  return [
    {
      do: "try",
      steps: [{ do: "stop", containers, timeout: SECONDS }],
      rollback: [
        {
          steps: [],
          result:
            "Docker was not restarted, as it would keep its present network. The containers that had stopped were started " +
            "again, except those that are named here. Stop or remove the ones that do not stop, and run again" +
            `${describeRemoved(containers)}.`,
        },
      ],
      afterwards: startAgain(withoutRemoved(containers), observed),
      daemon: observed.daemon === null ? DOCKER : { ...DOCKER, pidFile: observed.daemon.pidFile },
    },
  ];
}

/** Starts the containers after a restart, and discards the saved list. If one does not start, they stay saved. */
export function startAfterRestart(containers: readonly Container[], discard: Action): Action[] {
  const before = "Docker was restarted, and runs with its new options.";
  return [...start(withoutWeave(containers)).map((action) => retryOnNextRun(action, before, [])), discard];
}

/** Starts the containers after a failed restart. If one does not start, they are saved: the rollback deletes what was saved before. */
export function startAfterFailure(
  containers: readonly Container[],
  observed: ObservedDocker,
  saved: SavedConfiguration,
): Action[] {
  const save = saveConfiguration({ ...saved, stopped: containers });
  return startAgain(containers, observed).map((action) => retryOnNextRun(action, "", [save]));
}

/** The change that starts the containers that an earlier restart has stopped. */
export function startStoppedContainers({ daemon, saved }: ObservedDocker): Change[] {
  if (daemon === null || saved === null || saved.stopped.length === 0) return [];
  // While a restart is still to be made, those that run may be about to stop, and stay saved.
  const mayStop = saved.daemon === daemon.id;
  const stopped = mayStop ? saved.stopped : withoutWeave(saved.stopped);
  const running = new Set(daemon.containers?.map(({ id }) => id));
  const missing = stopped.filter(({ id }) => !running.has(id));
  if (stopped.length === 0 || (mayStop && missing.length === 0)) return [];
  const discard = mayStop
    ? saveConfiguration({ ...saved, stopped: stopped.filter(({ id }) => running.has(id)) })
    : DELETE_SAVED_CONFIGURATION;
  const actions: Action[] = start(missing).map((action) => ({
    do: "try",
    steps: [action],
    rollback: [{ steps: [discard], result: "Run again for the other changes." }],
  }));
  const names = (containers: readonly Container[]): string => `${containers.map(({ name }) => name).join(", ")}\n`;
  return [
    {
      subject: "containers that a restart of Docker stopped",
      before: missing.length > 0 ? `stopped: ${names(missing)}` : `started since: ${names(stopped)}`,
      after: `running: ${names(missing.length > 0 ? missing : stopped)}`,
      actions: [...actions, discard],
    },
  ];
}

/** Starts the containers whether or not Docker was restarted. Weave's own are started by their service, with Docker. */
function startAgain(containers: readonly Container[], { daemon }: ObservedDocker): StopOrStart[] {
  const running: Daemon | null = daemon && { pidFile: daemon.pidFile, startedAt: daemon.startedAt };
  const weaves = containers.filter(({ belongsToWeave }) => belongsToWeave);
  return [
    ...start(withoutWeave(containers)),
    ...(running === null ? [] : start(weaves).map((action) => ({ ...action, onlyIfRunning: running }))),
  ];
}

/** `before` is the state, for the message if some do not start; `save` saves them. */
function retryOnNextRun(action: Action, before: string, save: readonly Action[]): Action {
  const result = `${before} The next run tries once more to start them.`.trim();
  return { do: "try", steps: [action], rollback: [{ steps: save, result }] };
}

type StopOrStart = Extract<Action, { do: "stop" | "start" }>;

function start(containers: readonly Container[]): StopOrStart[] {
  return containers.length === 0 ? [] : [{ do: "start", containers, timeout: SECONDS }];
}

function withoutWeave(containers: readonly Container[]): readonly Container[] {
  return containers.filter(({ belongsToWeave }) => !belongsToWeave);
}

function withoutRemoved(containers: readonly Container[]): readonly Container[] {
  return containers.filter(({ autoRemove = false }) => !autoRemove);
}
