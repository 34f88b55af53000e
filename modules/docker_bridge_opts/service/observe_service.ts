import { setTimeout as sleep } from "node:timers/promises";
import { dockerPid, isDockerInstalled } from "../../core/docker";
import { UserError } from "../../core/errors";
import type { Host } from "../../core/host/host";
import { type IfInTransition, InTransition } from "../../core/module";
import { hasProgram, programsOf } from "../../core/programs";
import { isSystemdBooted, unitProperties } from "../../core/systemctl";
import { splitWords } from "../../formats/shell_words";
import { VARIABLE } from "./command_line";
import type { DockerService } from "./docker_service";
import { DEFAULT_FILE, optionsFileOf, sharedTarget } from "./options_file";
import { findDropIns, readUnit, unitNames } from "./read_unit";

/** Docker is not installed. */
export class DockerMissing extends UserError {}

/**
 * Observes how this host starts dockerd, whatever its distribution. Throws DockerMissing if Docker is not installed, unless it `mayBeMissing`:
 * the files with its options stay when its package is removed.
 */
export async function observeService(
  host: Host,
  ifInTransition: IfInTransition,
  mayBeMissing = false,
): Promise<DockerService> {
  try {
    return isSystemdBooted(host) ? await observeUnit(host, ifInTransition) : observeScript(host);
  } catch (error) {
    if (mayBeMissing && error instanceof DockerMissing) return { ...byScript(host, true), missing: true };
    throw error;
  }
}

type Properties = (name: string) => string;

async function observeUnit(host: Host, ifInTransition: IfInTransition): Promise<DockerService> {
  const [property, socket] = await unitsAfterJob(host, ifInTransition);
  requireLoaded("docker.service", property);
  const pid = Number(property("MainPID"));
  if (pid === 0 && property("NeedDaemonReload") !== "yes") requireProgram(property("ExecStart"), host);
  // Where the service requires it, systemd starts neither without the other.
  if (property("Requires").split(" ").includes("docker.socket")) requireLoaded("docker.socket", socket);
  const [fragment, names] = [property("FragmentPath"), property("Names").split(" ")];
  const loaded = splitWords(property("DropInPaths")).map(({ value }) => value);
  const needsReload = property("NeedDaemonReload") === "yes" || hasNewDropIn(fragment, loaded, names, host);
  const unit = readUnit(fragment, needsReload ? null : loaded, host, names);
  const file = optionsFileOf(unit);
  return {
    init: "systemd",
    missing: false,
    unit,
    readsFile: file.path !== null,
    whyNot: file.why ?? "",
    filePath: file.path ?? DEFAULT_FILE,
    sharedTarget: unit.sharedTargets.get(file.path ?? DEFAULT_FILE) ?? null,
    failed: property("ActiveState") === "failed",
    lostSocket: lostSocketOf(socket, host),
    needsReload,
    pid,
  };
}

const UPSTART_JOB = "/etc/init/docker.conf";
const INIT_SCRIPT = "/etc/init.d/docker";

/**
 * Throws DockerMissing if this host does not have the program of ExecStart=, as `systemctl show` prints that. systemd makes a unit of an
 * init script, which stays when Debian's package is removed.
 */
function requireProgram(execStart: string, host: Host): void {
  const [, path = ""] = /^\{ path=(.*?) ; /.exec(execStart) ?? [];
  const program = path === INIT_SCRIPT ? "dockerd" : path;
  if (program === "" || hasProgram(program, host)) return;
  throw new DockerMissing(
    `docker.service: must start a program that exists (found no ${program}). Install Docker first (apt install docker.io).`,
  );
}

/** systemd itself does not see the first drop-in of a new directory until it reloads: it remembers which directories there are. */
function hasNewDropIn(fragment: string, loaded: readonly string[], names: readonly string[], host: Host): boolean {
  // The directory has two names where /lib is a link.
  const known = new Set(loaded.map((path) => path.replace(/^\/usr\/lib\//, "/lib/")));
  return findDropIns(unitNames(fragment, names), host).some(
    (path) => !known.has(path.replace(/^\/usr\/lib\//, "/lib/")),
  );
}

const PROPERTIES = [
  "Names",
  "LoadState",
  "LoadError",
  "ActiveState",
  "FragmentPath",
  "DropInPaths",
  "NeedDaemonReload",
  "MainPID",
  "ExecStart",
  "Requires",
  "Job",
  "Listen",
];
const JOB_SECONDS = 30;

/** Docker's service and socket, once no start or restart is in progress (such as one that an interrupted run began). */
async function unitsAfterJob(
  host: Host,
  ifInTransition: IfInTransition,
): Promise<[service: Properties, socket: Properties]> {
  const end = Date.now() + JOB_SECONDS * 1000;
  for (;;) {
    const [service = () => "", socket = () => ""] = unitProperties(
      ["docker.service", "docker.socket"],
      PROPERTIES,
      host,
    );
    if (!Number(service("Job")) || Date.now() >= end) return [service, socket];
    if (ifInTransition === "fail") throw new InTransition();
    await sleep(250);
  }
}

/** Throws a UserError if systemd can't start the unit, with what to do about it. */
function requireLoaded(unit: "docker.service" | "docker.socket", property: Properties): void {
  const state = property("LoadState") || "unknown";
  if (state === "loaded") return;
  const what: Readonly<Record<string, string>> = {
    "not-found":
      unit === "docker.socket"
        ? "must exist, as docker.service requires it (found none). Install Docker's package again, and run again."
        : "must exist (found none). Install Docker first (apt install docker.io). Docker from a snap, and rootless Docker, have a unit " +
          "of another name, which this module does not manage.",
    masked: `must not be masked, or systemd does not start ${unit === "docker.socket" ? "docker.service, which requires it" : "it"} (found it masked). Run systemctl unmask ${unit} first.`,
  };
  const Kind = state === "not-found" && unit === "docker.service" ? DockerMissing : UserError;
  throw new Kind(
    `${unit}: ${
      what[state] ??
      `must be a unit that systemd can load (found LoadState=${[state, property("LoadError")].filter(Boolean).join(", ")}). ` +
        `Correct what systemd-analyze verify ${unit} shows.`
    }`,
  );
}

/** systemd still listens, but nobody can connect once the file is gone. */
function lostSocketOf(socket: Properties, host: Host): string | null {
  const [, directory, name] = /(?:^|\s)(\/\S*)\/([^/\s]+) \(Stream\)/.exec(socket("Listen")) ?? [];
  if (socket("ActiveState") !== "active" || directory === undefined || name === undefined) return null;
  return host.readdir(directory).includes(name) ? null : `${directory}/${name}`;
}

/** An upstart job or a sysvinit script; both source the file. */
function observeScript(host: Host): DockerService {
  const script = host.readFile(UPSTART_JOB) ?? host.readFile(INIT_SCRIPT);
  const found = script === null ? `no systemd, and neither ${UPSTART_JOB} nor ${INIT_SCRIPT}` : "no program dockerd";
  if (script === null || !isDockerInstalled(programsOf(host), host)) {
    throw new DockerMissing(`Docker: must be installed (found ${found}). Install it first.`);
  }
  return byScript(host, script.content.includes("/etc/default/") && script.content.includes(`$${VARIABLE}`));
}

function byScript(host: Host, readsFile: boolean): DockerService {
  return {
    init: "script",
    missing: false,
    unit: null,
    readsFile,
    whyNot: readsFile ? "" : "Docker's init script does not read it",
    filePath: DEFAULT_FILE,
    sharedTarget: sharedTarget(DEFAULT_FILE, host),
    failed: false,
    lostSocket: null,
    needsReload: false,
    pid: dockerPid(host) ?? 0,
  };
}
