import { setTimeout as sleep } from "node:timers/promises";
import { DOCKER_PID_FILE } from "../core/docker";
import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import type { Patience } from "../core/module";
import { unitProperties } from "../core/systemctl";
import { environmentValue } from "../formats/environment_file";
import { splitWords } from "../formats/shell_words";
import { parseUnit, passesVariable, VARIABLE } from "./command_line";
import { DROP_IN_PATH } from "./files";
import type { DockerService } from "./observed";

const DEFAULT_FILE = "/etc/default/docker";

/** Observes how this host starts dockerd, whatever its distribution. Throws a UserError where Docker is not installed. */
export async function observeService(host: Host, patience: Patience): Promise<DockerService> {
  // As sd_booted(3) does it.
  return host.readdir("/run/systemd").includes("system") ? observeUnit(host, patience) : observeScript(host);
}

async function observeUnit(host: Host, patience: Patience): Promise<DockerService> {
  const property = await unitAfterJob(host, patience);
  if (property("LoadState") !== "loaded") {
    throw new UserError(
      `docker.service: systemd can't load the unit (LoadState=${property("LoadState") || "unknown"}). Install Docker first (apt install docker.io).`,
    );
  }
  const paths = [property("FragmentPath"), ...splitWords(property("DropInPaths")).map(({ value }) => value)];
  const files = paths.filter((path) => path !== DROP_IN_PATH).map((path) => host.readFile(path)?.content ?? "");
  const start = parseUnit(files);
  return {
    init: "systemd",
    command: start.command,
    readsFile: passesVariable(start),
    filePath: optionsFilePath(start.environmentFiles, host),
    needsReload: property("NeedDaemonReload") === "yes",
    pid: Number(property("MainPID")),
  };
}

const PROPERTIES = ["LoadState", "FragmentPath", "DropInPaths", "NeedDaemonReload", "MainPID", "Job"];
const JOB_SECONDS = 30;

/** Docker's unit once a start or restart in progress, such as an interrupted run's, has ended: its result is what counts. */
async function unitAfterJob(host: Host, patience: Patience): Promise<(name: string) => string> {
  const end = Date.now() + JOB_SECONDS * 1000;
  for (;;) {
    const property = unitProperties("docker.service", PROPERTIES, host);
    if (!Number(property("Job")) || Date.now() >= end) return property;
    if (patience === "at once") throw new UserError("Docker: a start or stop is in progress. Wait for its end.");
    await sleep(250);
  }
}

/** The last file that sets DOCKER_OPTS, as systemd takes that; else the last in /etc, which packages leave to the operator. */
function optionsFilePath(environmentFiles: readonly string[], host: Host): string {
  const setsVariable = (path: string): boolean =>
    environmentValue(host.readFile(path)?.content ?? "", VARIABLE) !== null;
  return (
    environmentFiles.filter(setsVariable).at(-1) ??
    environmentFiles.filter((path) => path.startsWith("/etc/")).at(-1) ??
    DEFAULT_FILE
  );
}

const SCRIPTS = ["/etc/init/docker.conf", "/etc/init.d/docker"];

/** An upstart job or a sysvinit script; both source the file. */
function observeScript(host: Host): DockerService {
  const script = SCRIPTS.map((path) => host.readFile(path)).find((file) => file !== null);
  if (!script) {
    throw new UserError(
      `Docker: not found (systemd is not running, and neither ${SCRIPTS.join(" nor ")} exists). Install Docker first.`,
    );
  }
  return {
    init: "script",
    command: "",
    readsFile: script.content.includes("/etc/default/") && script.content.includes(`$${VARIABLE}`),
    filePath: DEFAULT_FILE,
    needsReload: false,
    pid: Number(host.readText(DOCKER_PID_FILE)),
  };
}
