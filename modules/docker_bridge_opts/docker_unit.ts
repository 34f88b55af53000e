import type { Host } from "../core/host";
import { Refusal } from "../core/refusal";
import { type DockerFlags, parseDockerFlags } from "../formats/docker_flags";
import { parseProperties } from "../formats/unit";

/** Docker's systemd unit, and the daemon that runs from it. */
export interface DockerUnit {
  /** The file that the unit reads DOCKER_OPTS from. */
  readonly environmentFile: string;
  /** What the running daemon was started with, or null where none runs. */
  readonly running: DockerFlags | null;
}

/** Asks systemd how dockerd is started, as no distribution's name tells. Throws a Refusal where it can't be set by DOCKER_OPTS. */
export function observeDockerUnit(host: Host): DockerUnit {
  const { stdout } = host.run(
    "systemctl show docker.service -p LoadState,ExecStart,EnvironmentFiles,MainPID".split(" "),
  );
  const properties = parseProperties(stdout);
  const property = (name: string): string => properties.get(name) ?? "";
  if (property("LoadState") !== "loaded") {
    throw new Refusal(
      `Docker's unit docker.service is ${property("LoadState") || "unknown"} here; install Docker first (apt install docker.io)`,
    );
  }
  const environmentFile = property("EnvironmentFiles").replace(/ \(ignore_errors=.*/, "");
  if (!/argv\[\]=[^;]*\$\{?DOCKER_OPTS\b/.test(property("ExecStart")) || environmentFile === "") {
    throw new Refusal(
      `docker.service does not read DOCKER_OPTS from a file (ExecStart is ${property("ExecStart")}); give it a drop-in with ` +
        "EnvironmentFile=-/etc/default/docker and $DOCKER_OPTS behind dockerd, as Debian's docker.io has it",
    );
  }
  return { environmentFile, running: runningFlags(Number(property("MainPID")), host) };
}

function runningFlags(pid: number, host: Host): DockerFlags | null {
  const commandLine = pid > 0 ? host.kernel(`/proc/${pid}/cmdline`) : null;
  if (commandLine === null) return null;
  const [, ...words] = commandLine.replace(/\0$/, "").split("\0");
  return parseDockerFlags(words.map((word) => ({ raw: word, value: word })));
}
