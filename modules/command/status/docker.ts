import { redactSecrets } from "../../core/redact";
import { optionsToStartWith } from "../../docker_bridge_opts/configuration";
import type { ObservedDocker, RunningDaemon } from "../../docker_bridge_opts/observed";
import { pendingRestart, runningOptions, runningValue } from "../../docker_bridge_opts/pending_restart";
import type { DockerFlags } from "../../formats/docker_options";
import type { DockerStatus } from "./status";

/** The options that docker_bridge_opts sets. */
const MODULE_OPTIONS = ["bridge", "fixed-cidr", "mtu", "dns", "dns-search"];

/** The options of the running daemon, or of the next one if none runs. */
export function optionsNow(docker: ObservedDocker): DockerFlags {
  return docker.daemon === null ? optionsToStartWith(docker) : runningOptions(docker.daemon);
}

/** The state of Docker on this host. */
export function summariseDocker(docker: ObservedDocker): DockerStatus {
  const { service, daemon, version } = docker;
  return {
    init: service.init,
    running: daemon !== null,
    version,
    containers: daemon?.containers?.length ?? null,
    options: [...optionsNow(docker)].flatMap(([name, values]) => toFlags(name, values)),
    restartPending: restartPending(docker),
  };
}

/** The restart or reload that makes the running daemon match its files; as for docker_bridge_opts, a stopped one must start. */
export function pendingForDocker(docker: ObservedDocker): string[] {
  const { service, daemon, configPath } = docker;
  const reload = service.needsReload
    ? ["a reload of systemd: the files of docker.service have changed since it read them"]
    : [];
  if (daemon === null) {
    return [...reload, `${RESTART}: it ${service.failed ? "has failed" : "is stopped"}`];
  }
  const { known, unknown, configured } = compareOptions(docker, daemon);
  if (known.length > 0) return [...reload, restart(known, daemon, configured)];
  return unknown.length === 0
    ? reload
    : [...reload, `perhaps a restart of Docker: ${configPath} has changed since it started`];
}

/** Whether Docker must start, or restart to run with its configured options; null if what it has read is unknown. */
function restartPending(docker: ObservedDocker): boolean | null {
  if (docker.daemon === null) return true;
  const { known, unknown } = compareOptions(docker, docker.daemon);
  return known.length > 0 ? true : unknown.length > 0 ? null : false;
}

/** The options that differ between the running daemon and its files, and those that may differ. */
function compareOptions(
  docker: ObservedDocker,
  daemon: RunningDaemon,
): { readonly known: readonly string[]; readonly unknown: readonly string[]; readonly configured: DockerFlags } {
  const configured = optionsToStartWith(docker);
  const isUnknown = (name: string): boolean => runningValue(daemon, name) === "unknown";
  const differing = MODULE_OPTIONS.filter(
    (name) => pendingRestart(new Map([[name, configured.get(name) ?? []]]), daemon).length > 0,
  );
  return {
    known: differing.filter((name) => !isUnknown(name)),
    unknown: differing.filter(isUnknown),
    configured,
  };
}

function restart(names: readonly string[], daemon: RunningDaemon, configured: DockerFlags): string {
  const all = (options: DockerFlags): string =>
    names.flatMap((name) => toFlags(name, options.get(name) ?? [], `no --${name}`)).join(" ");
  return `${RESTART}: it runs with ${all(runningOptions(daemon))}, its files have ${all(configured)}`;
}

const RESTART = "a restart of Docker (apollo-weave docker-opts --state restarted)";

function toFlags(name: string, values: readonly string[], otherwise?: string): string[] {
  if (values.length === 0 && otherwise !== undefined) return [otherwise];
  return values.map((value) => redactSecrets(`--${name}=${value}`));
}
