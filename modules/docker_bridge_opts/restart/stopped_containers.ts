import type { Action, Change, Daemon } from "../../core/change";
import { DOCKER } from "../../core/docker";
import type { DockerFlags } from "../../formats/docker_options";
import { networkDiffers } from "../network";
import type { Container, ObservedDocker, Previous } from "../observed";
import { DELETE_PREVIOUS, savePrevious } from "./rollback";

/** For all containers together. Docker kills one that has not ended within 10 s. */
const SECONDS = 60;

/**
 * The containers that a restart has to stop itself. Docker keeps its default network while any container runs ("There are old
 * running containers, the network config will not take affect"), so those that live-restore would keep running are stopped for
 * another network.
 */
export function containersToStop({ daemon }: ObservedDocker, configured: DockerFlags): readonly Container[] {
  return daemon?.liveRestore && networkDiffers(configured, daemon) ? (daemon.containers ?? []) : [];
}

/** These, and those that an interrupted restart has stopped. */
export function withStoppedBefore(toStop: readonly Container[], { previous }: ObservedDocker): readonly Container[] {
  const ids = new Set(toStop.map(({ id }) => id));
  return [...toStop, ...(previous?.stopped ?? []).filter(({ id }) => !ids.has(id))];
}

/** Stops them. If one can't be stopped, all are started again, `forget` follows, and Docker keeps running. */
export function stopAll(containers: readonly Container[], observed: ObservedDocker, forget: Action): Action[] {
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
            "again, except those that are named here. Stop or remove the ones that do not stop, and run again.",
        },
      ],
      afterwards: [...startAfterFailure(containers, observed), forget],
      daemon: observed.daemon === null ? DOCKER : { ...DOCKER, pidFile: observed.daemon.pidFile },
    },
  ];
}

/** Starts them after a restart. `before` is the state, for the message if some do not start. `forget` follows in any case. */
export function startAfterRestart(containers: readonly Container[], before: string, forget: Action): Action[] {
  const actions = start(withoutWeave(containers));
  if (actions.length === 0) return [forget];
  return [{ do: "try", steps: actions, rollback: [{ steps: [forget], result: before }] }, forget];
}

/** Starts them whether or not Docker was restarted. Weave's own are started by their service, with Docker. */
export function startAfterFailure(containers: readonly Container[], { daemon }: ObservedDocker): Action[] {
  const running: Daemon | null = daemon && { pidFile: daemon.pidFile, startedAt: daemon.startedAt };
  const weaves = containers.filter(({ belongsToWeave }) => belongsToWeave);
  return [
    ...start(withoutWeave(containers)),
    ...(running === null ? [] : start(weaves).map((action): Action => ({ ...action, onlyIfRunning: running }))),
  ];
}

/** The change that starts the containers that an interrupted restart has stopped. */
export function stoppedBefore({ daemon, previous }: ObservedDocker): Change[] {
  if (daemon === null || previous === null || previous.stopped.length === 0) return [];
  const sameDaemon = previous.daemon === daemon.id;
  const stopped = sameDaemon ? previous.stopped : withoutWeave(previous.stopped);
  const names = `${stopped.map(({ name }) => name).join(", ")}\n`;
  const forget = withoutStopped(previous, sameDaemon);
  return [
    {
      subject: "containers that a restart of Docker stopped",
      before: `stopped: ${names}`,
      after: `running: ${names}`,
      actions: [
        {
          do: "try",
          steps: start(stopped),
          rollback: [{ steps: [forget], result: "Run again for the other changes." }],
        },
        forget,
      ],
    },
  ];
}

/** Saves the configuration without stopped containers, or deletes it if nothing else is to be kept. */
export function withoutStopped(previous: Previous, keep: boolean): Action {
  return keep ? savePrevious({ ...previous, stopped: [] }) : DELETE_PREVIOUS;
}

function start(containers: readonly Container[]): Extract<Action, { do: "stop" | "start" }>[] {
  return containers.length === 0 ? [] : [{ do: "start", containers, timeout: SECONDS }];
}

function withoutWeave(containers: readonly Container[]): readonly Container[] {
  return containers.filter(({ belongsToWeave }) => !belongsToWeave);
}
