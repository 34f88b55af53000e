import { type Action, type Change, type Daemon, run } from "../core/change";
import { DOCKER_PID_FILE, PING, startContainer, stopContainer } from "../core/docker";
import type { HttpRequest } from "../core/host/host";
import type { DockerFlags } from "../formats/docker_options";
import { DAEMON_RELOAD } from "./files";
import { networkDiffers } from "./network";
import type { ObservedDocker } from "./observed";
import { restartDisruption } from "./pending_restart";
import { DELETE_PREVIOUS, isCurrent, restorePrevious } from "./rollback";

/** dockerd stops its containers first, and may wait for each. */
const RESTART_SECONDS = 300;
const ANSWER_SECONDS = 60;

/** The requested restart; none where Docker was started after the module was called. */
export function restart(observed: ObservedDocker, configured: DockerFlags): Change[] {
  const { daemon, calledAt } = observed;
  if (daemon !== null && daemon.startedAt >= calledAt) return [];
  return [
    {
      subject: "Docker",
      before: daemon === null ? "stopped\n" : "running\n",
      after: "restarted\n",
      actions: restartActions(observed, configured),
      disruption: restartDisruption(daemon, daemon !== null && networkDiffers(configured, daemon)),
    },
  ];
}

function restartActions({ service, daemon, previous }: ObservedDocker, configured: DockerFlags): Action[] {
  const bySystemd = service.init === "systemd";
  // systemd does not start a unit that has failed or restarted too often (StartLimitBurst=) until that is reset.
  const reset = bySystemd ? [run(["systemctl", "reset-failed", "docker.s*"])] : [];
  const start: Action & { readonly do: "run" } = {
    do: "run",
    argv: bySystemd ? ["systemctl", "restart", "docker.service"] : ["service", "docker", "restart"],
    timeout: RESTART_SECONDS,
  };
  const running: Daemon = { pidFile: DOCKER_PID_FILE, startedAt: daemon?.startedAt ?? null };
  const state = bySystemd ? ["systemctl", "is-active", "docker.service"] : ["service", "docker", "status"];
  const answer: Action[] = listensOnSocket(configured)
    ? [{ do: "await", request: PING, timeout: ANSWER_SECONDS, diagnose: state }]
    : [];
  const saved = isCurrent(previous, daemon?.id ?? null) ? previous : null;
  // Docker keeps its default network while any container runs ("There are old running containers, the network config will
  // not take affect"), so containers that live-restore would keep running are stopped for another network.
  const stopped = daemon?.liveRestore && networkDiffers(configured, daemon) ? (daemon.containers ?? []) : [];
  const stopContainers = stopped.map(({ id }) => containerAction(stopContainer(id)));
  const startContainers = stopped
    .filter(({ belongsToWeave }) => !belongsToWeave)
    .map(({ id }) => containerAction(startContainer(id)));
  // systemctl or the init script may fail although Docker has started; that it answers is what counts.
  const replacing = answer.length > 0 ? { ...start, replaces: running } : start;
  return [
    {
      do: "try",
      steps: [...stopContainers, ...reset, replacing, ...answer, ...startContainers],
      diagnose: bySystemd
        ? ["journalctl", "--no-pager", "--output=cat", "--lines=10", "_SYSTEMD_UNIT=docker.service"]
        : ["tail", "-n", "10", "/var/log/docker.log", "/var/log/upstart/docker.log"],
      rollback:
        saved === null
          ? []
          : [
              ...restorePrevious(saved),
              ...(bySystemd ? [DAEMON_RELOAD] : []),
              ...reset,
              // A daemon that was not replaced still runs with the restored configuration.
              daemon === null ? start : { ...start, skipIfRunning: running },
              ...answer,
              ...startContainers,
              DELETE_PREVIOUS,
            ],
      afterRollback:
        saved === null
          ? "No previous configuration was saved, so Docker is left as it is. Correct its options and run again."
          : "The previous configuration was restored, and Docker runs with it again. Correct the options and run again.",
    },
    DELETE_PREVIOUS,
  ];
}

/** 304: it is stopped or started already. 404: it was removed when it stopped (docker run --rm). */
function containerAction(request: HttpRequest): Action {
  return { do: "request", request, orStatus: [304, 404] };
}

/** Whether dockerd listens on its usual socket. Where it listens elsewhere, only the service manager knows whether it has started. */
function listensOnSocket(configured: DockerFlags): boolean {
  const hosts = configured.get("host") ?? [];
  return (
    hosts.length === 0 || hosts.some((host) => host === "fd://" || /^unix:\/\/(\/var)?\/run\/docker\.sock$/.test(host))
  );
}
