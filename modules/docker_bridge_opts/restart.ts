import { type Action, type Change, type Daemon, run } from "../core/change";
import { DOCKER_PID_FILE, PING, startContainer, stopContainer } from "../core/docker";
import type { HttpRequest } from "../core/host/host";
import type { DockerFlags } from "../formats/docker_options";
import type { ObservedDocker } from "./observe";
import { interruption, networkDiffers } from "./owed";
import { FORGET, isCurrent, putBack } from "./previous";

/** dockerd ends its containers first, and may wait for each. */
const RESTART_SECONDS = 300;
const ANSWER_SECONDS = 60;

/** Decides on a restart that is asked for: none once Docker has been started since the module was called. */
export function restart(observed: ObservedDocker, configured: DockerFlags): Change[] {
  const { daemon, calledAt } = observed;
  if (daemon !== null && daemon.startedAt >= calledAt) return [];
  return [
    {
      subject: "Docker",
      before: daemon === null ? "stopped\n" : "running since before\n",
      after: "restarted\n",
      actions: restartActions(observed, configured),
      disruption: interruption(daemon, daemon !== null && networkDiffers(configured, daemon)),
    },
  ];
}

function restartActions({ service, daemon, previous }: ObservedDocker, configured: DockerFlags): Action[] {
  const bySystemd = service.init === "systemd";
  // A daemon that failed a few times in a minute, or was restarted as often, is not started by systemd any more.
  const reset = bySystemd ? [run(["systemctl", "reset-failed", "docker.s*"])] : [];
  const start: Action & { readonly do: "run" } = {
    do: "run",
    argv: bySystemd ? ["systemctl", "restart", "docker.service"] : ["service", "docker", "restart"],
    timeout: RESTART_SECONDS,
  };
  const present: Daemon = { pidFile: DOCKER_PID_FILE, startedAt: daemon?.startedAt ?? null };
  const state = bySystemd ? ["systemctl", "is-active", "docker.service"] : ["service", "docker", "status"];
  const answer: Action[] = listensOnSocket(configured)
    ? [{ do: "await", request: PING, timeout: ANSWER_SECONDS, diagnose: state }]
    : [];
  const kept = isCurrent(previous, daemon?.id ?? null) ? previous : null;
  // Docker keeps its default network for as long as a container on any is running ("There are old running containers, the
  // network config will not take affect"), so those that would outlive the restart are stopped for a new network.
  const moved = daemon?.liveRestore && networkDiffers(configured, daemon) ? daemon.containers : [];
  const stopContainers = (moved ?? []).map(({ id }) => toContainer(stopContainer(id)));
  const startContainers = (moved ?? [])
    .filter(({ isWeaves }) => !isWeaves)
    .map(({ id }) => toContainer(startContainer(id)));
  // Who starts Docker may fail although Docker has started; where it answers, that is what counts.
  const attempted = answer.length > 0 ? { ...start, replaces: present } : start;
  return [
    {
      do: "try",
      steps: [...stopContainers, ...reset, attempted, ...answer, ...startContainers],
      diagnose: bySystemd
        ? ["journalctl", "--no-pager", "--output=cat", "--lines=10", "_SYSTEMD_UNIT=docker.service"]
        : ["tail", "-n", "10", "/var/log/docker.log", "/var/log/upstart/docker.log"],
      rollback:
        kept === null
          ? []
          : [
              ...putBack(kept),
              ...(bySystemd ? [run(["systemctl", "daemon-reload"])] : []),
              ...reset,
              // It still has the configuration that is back.
              daemon === null ? start : { ...start, skipIfRunning: present },
              ...answer,
              ...startContainers,
              FORGET,
            ],
      afterRollback:
        kept === null
          ? "No configuration from before is kept, so Docker is left as it is; correct its options and run again."
          : "The configuration from before is back, and Docker runs with it again; correct the options and run again.",
    },
    FORGET,
  ];
}

/** 304: it is so already. 404: it was removed when it stopped (--rm). */
function toContainer(request: HttpRequest): Action {
  return { do: "request", request, orStatus: [304, 404] };
}

/** Whether dockerd listens on its usual socket; a daemon that listens elsewhere alone is taken at systemd's word. */
function listensOnSocket(configured: DockerFlags): boolean {
  const hosts = configured.get("host") ?? [];
  return (
    hosts.length === 0 || hosts.some((host) => host === "fd://" || /^unix:\/\/(\/var)?\/run\/docker\.sock$/.test(host))
  );
}
