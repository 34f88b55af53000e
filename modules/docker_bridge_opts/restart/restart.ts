import { type Action, type Change, type Daemon, type Rollback, runAction } from "../../core/change";
import { DOCKER, PING } from "../../core/docker";
import { DAEMON_RELOAD } from "../../core/systemctl";
import type { DockerFlags } from "../../formats/docker_options";
import { defaultNetworkDiffers } from "../default_network";
import type { ObservedDocker, SavedConfiguration } from "../observed";
import { restartDisruption } from "../pending_restart";
import { pidFileOf } from "../service/docker_service";
import { restorePreviousCommand } from "./previous_command";
import {
  configurationToSave,
  DELETE_SAVED_CONFIGURATION,
  isOfDaemon,
  replacedFiles,
  restoreConfiguration,
  saveConfiguration,
} from "./rollback";
import { failUnlessStartable } from "./startable";
import {
  containersToStart,
  containersToStop,
  startAfterFailure,
  startAfterRestart,
  startStoppedContainers,
  stopAll,
} from "./stopped_containers";

/** dockerd ends its containers first. systemd kills it after 90 s by default (TimeoutStopSec=), and starts it for as long as it takes. */
const RESTART_SECONDS = 120;
const ANSWER_SECONDS = 60;

/** Whether Docker was started after the module was called. */
export function wasRestarted({ daemon, calledAt }: ObservedDocker): boolean {
  return daemon !== null && daemon.startedAt >= calledAt;
}

/** The requested restart; none where Docker was started after the module was called. */
export function restart(observed: ObservedDocker, configured: DockerFlags): Change[] {
  const { daemon } = observed;
  if (wasRestarted(observed)) return startStoppedContainers(observed);
  return [
    {
      subject: "Docker",
      before: daemon === null ? "stopped\n" : "running\n",
      after: "restarted\n",
      actions: restartActions(observed, configured),
      ...restartDisruption(daemon, daemon !== null && defaultNetworkDiffers(configured, daemon)),
    },
  ];
}

function restartActions(observed: ObservedDocker, configured: DockerFlags): Action[] {
  const { service, daemon, saved } = observed;
  const toStop = containersToStop(observed, configured);
  const stopped = containersToStart(toStop, observed);
  const earlier = isOfDaemon(saved, daemon?.id ?? null) ? saved : null;
  const toRestore = earlier ?? configurationToSave(observed);
  const steps = stepsOf(observed, configured);
  return [
    ...failUnlessStartable(observed),
    // An interrupted run leaves what the next one needs: what Docker ran with, and the containers that are stopped.
    ...((earlier === null && daemon !== null) || stopped.length > 0
      ? [saveConfiguration({ ...toRestore, stopped })]
      : []),
    ...stopAll(toStop, observed),
    {
      do: "try",
      // systemd does not notice each change of a unit's files: one with an old time of modification, a drop-in in a new directory.
      steps: [...steps.reset, ...(service.init === "systemd" ? [DAEMON_RELOAD] : []), steps.restart, ...steps.answer],
      diagnose:
        service.init === "systemd"
          ? ["journalctl", "--no-pager", "--output=cat", "--lines=10", "_SYSTEMD_UNIT=docker.service"]
          : ["tail", "-n", "10", "/var/log/docker.log", "/var/log/upstart/docker.log"],
      rollback: rollbacks(observed, toRestore, earlier !== null, steps),
      afterwards: startAfterFailure(stopped, observed, toRestore),
      daemon: { ...DOCKER, pidFile: daemon?.pidFile ?? pidFileOf(configured) },
    },
    ...startAfterRestart(stopped, DELETE_SAVED_CONFIGURATION),
  ];
}

interface RestartSteps {
  readonly reset: readonly Action[];
  readonly restart: Action;
  /** Waits until it answers. */
  readonly answer: readonly Action[];
  /** The same in a rollback: nothing if the daemon from before still runs. */
  readonly restartUnlessRunning: readonly Action[];
}

function stepsOf({ service, daemon }: ObservedDocker, configured: DockerFlags): RestartSteps {
  const bySystemd = service.init === "systemd";
  const start: Action & { readonly do: "run" } = {
    do: "run",
    argv: bySystemd ? ["systemctl", "restart", "docker.service"] : ["service", "docker", "restart"],
    timeout: RESTART_SECONDS,
  };
  const replaced: Daemon = { pidFile: pidFileOf(configured), startedAt: daemon?.startedAt ?? null };
  const unlessRunning = daemon === null ? {} : { skipIfRunning: { ...replaced, pidFile: daemon.pidFile } };
  const answer: Action[] = listensOnSocket(configured)
    ? [
        {
          do: "await",
          request: PING,
          timeout: ANSWER_SECONDS,
          diagnose: bySystemd ? ["systemctl", "is-active", "docker.service"] : ["service", "docker", "status"],
          ...(bySystemd && { giveUp: { argv: STATE, pattern: FAILED } }),
        },
      ]
    : [];
  return {
    // systemd does not start a unit that has failed or restarted too often (StartLimitBurst=) until that is reset.
    reset: bySystemd ? [runAction(["systemctl", "reset-failed", "docker.s*"])] : [],
    // systemctl or the init script may fail although Docker has started; what matters is that it answers.
    restart: answer.length > 0 ? { ...start, replaces: replaced } : start,
    answer,
    restartUnlessRunning: [
      // A dockerd that hangs while it starts would not end by SIGTERM before TimeoutStopSec=.
      ...(bySystemd ? [{ do: "run", argv: KILL, mayFail: true, ...unlessRunning } as const] : []),
      { ...start, ...unlessRunning },
    ],
  };
}

const KILL = ["systemctl", "kill", "--signal=KILL", "--kill-who=main", "docker.service"];
const STATE = ["systemctl", "show", "docker.service", "-p", "ActiveState,SubState,Job"];
/** It has failed, also if systemd starts it once more (Restart=), and no job is about to start it. */
const FAILED = /^(?![\s\S]*\bJob=[1-9])[\s\S]*\b(ActiveState=failed|SubState=auto-restart)/;

/**
 * The files as they were before the first change (`changed`: whether there was one), and if Docker does not run with these either,
 * the command line that it was started with: something else may have changed the files before.
 */
function rollbacks(
  observed: ObservedDocker,
  saved: SavedConfiguration,
  changed: boolean,
  steps: RestartSteps,
): Rollback[] {
  const start = [...steps.reset, ...steps.restartUnlessRunning, ...steps.answer, DELETE_SAVED_CONFIGURATION];
  const reload = observed.service.init === "systemd" ? [DAEMON_RELOAD] : [];
  const replaced = replacedFiles(saved, observed);
  const kept = replaced.map(({ path, copy }) => ` What was in ${path} is kept in ${copy}.`).join("");
  const files: Rollback = {
    steps: [...restoreConfiguration(saved, replaced), ...reload, ...start],
    result: `The previous configuration was restored, and Docker runs with it again.${kept} Correct the options and run again.`,
  };
  const ran = restorePreviousCommand(observed.service, saved);
  if (ran === null && !changed) {
    return [
      {
        steps: [],
        result:
          "No earlier configuration of Docker is known, so it is left as it is. Correct its options and run again.",
      },
    ];
  }
  const unknown = saved.configWasRead ? "" : " What was in daemon.json when it started is not known.";
  const names = saved.files.filter(({ content }) => content !== null).map(({ path }) => path);
  const command: Rollback[] =
    ran === null
      ? []
      : [
          {
            steps: [...ran.actions, ...start],
            result:
              `Docker does not start with its files as they were found, so ${ran.path} now gives it the command line that it ran ` +
              `with before, and it runs again.${unknown} Correct ${names.join(", ") || "its unit"} and run again.`,
          },
        ];
  return changed ? [files, ...command] : command;
}

/**
 * Whether dockerd listens on its usual socket, which an empty address also means. Where it listens elsewhere, only the service manager
 * knows whether it has started. A path without a slash before it is one from dockerd's working directory, / (moby, opts/hosts.go,
 * parseSimpleProtoAddr).
 */
function listensOnSocket(configured: DockerFlags): boolean {
  const hosts = configured.get("host") ?? [];
  return hosts.length === 0 || hosts.some((host) => /^(fd:\/\/|unix:\/\/(\/?(var\/)?run\/docker\.sock)?)?$/.test(host));
}
