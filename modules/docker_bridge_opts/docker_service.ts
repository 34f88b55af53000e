import { setTimeout as sleep } from "node:timers/promises";
import { DOCKER_PID_FILE } from "../core/docker";
import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import { unitProperties } from "../core/systemctl";
import { environmentValue } from "../formats/environment_file";
import { splitWords } from "../formats/shell_words";
import { unitSettings } from "../formats/systemd_ini";
import { DROP_IN_PATH } from "./drop_in";
import { VARIABLE } from "./options_file";

const DEFAULT_FILE = "/etc/default/docker";

/** How this host starts dockerd. */
export interface DockerService {
  readonly init: "systemd" | "script";
  /** The command line of the unit as it is without this module's drop-in; "" where a script starts dockerd. */
  readonly command: string;
  /** Whether DOCKER_OPTS of the file below reaches dockerd without the drop-in. */
  readonly readsFile: boolean;
  readonly filePath: string;
  /** Whether systemd holds another unit than the one in the files. */
  readonly needsReload: boolean;
  /** The process id of the daemon; 0 where none runs. */
  readonly pid: number;
}

/** Finds out how dockerd is started, as no distribution's name tells. Throws a UserError where there is no Docker. */
export async function observeService(host: Host): Promise<DockerService> {
  // As sd_booted(3) tells that systemd runs.
  return host.readdir("/run/systemd").includes("system") ? observeUnit(host) : observeScript(host);
}

/** Docker's unit; of a restart under way, such as an interrupted run has begun, it is the daemon that it ends with that counts. */
async function settledUnit(host: Host): Promise<(name: string) => string> {
  const names = ["LoadState", "FragmentPath", "DropInPaths", "NeedDaemonReload", "MainPID", "Job"];
  const end = Date.now() + SETTLE_SECONDS * 1000;
  for (;;) {
    const property = unitProperties("docker.service", names, host);
    if (!Number(property("Job")) || Date.now() >= end) return property;
    await sleep(250);
  }
}

const SETTLE_SECONDS = 30;

async function observeUnit(host: Host): Promise<DockerService> {
  const property = await settledUnit(host);
  if (property("LoadState") !== "loaded") {
    throw new UserError(
      `Docker's unit docker.service is ${property("LoadState") || "unknown"} here; install Docker first (apt install docker.io)`,
    );
  }
  const paths = [property("FragmentPath"), ...splitWords(property("DropInPaths")).map(({ value }) => value)];
  const files = paths.filter((path) => path !== DROP_IN_PATH).map((path) => host.readFile(path)?.content ?? "");
  const command = unitSettings(files, "Service", "ExecStart").at(-1) ?? "";
  const environmentFiles = unitSettings(files, "Service", "EnvironmentFile").map((path) => path.replace(/^-/, ""));
  return {
    init: "systemd",
    command,
    // Only as a word of its own, and without braces, it becomes several words (systemd.service(5)).
    readsFile: environmentFiles.length > 0 && splitWords(command).some(({ raw }) => raw === `$${VARIABLE}`),
    filePath:
      environmentFiles
        .filter((path) => environmentValue(host.readFile(path)?.content ?? "", VARIABLE) !== null)
        .at(-1) ??
      environmentFiles.filter((path) => path.startsWith("/etc/")).at(-1) ??
      DEFAULT_FILE,
    needsReload: property("NeedDaemonReload") === "yes",
    pid: Number(property("MainPID")),
  };
}

const SCRIPTS = ["/etc/init/docker.conf", "/etc/init.d/docker"];

/** An upstart job or a sysvinit script, both of which source the file. */
function observeScript(host: Host): DockerService {
  const script = SCRIPTS.map((path) => host.readFile(path)).find((file) => file !== null);
  if (!script) throw new UserError(`there is no systemd here and none of ${SCRIPTS.join(", ")}; install Docker first`);
  return {
    init: "script",
    command: "",
    readsFile: script.content.includes("/etc/default/") && script.content.includes(`$${VARIABLE}`),
    filePath: DEFAULT_FILE,
    needsReload: false,
    pid: Number(host.readText(DOCKER_PID_FILE)),
  };
}
