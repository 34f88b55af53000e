import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hostHierarchies, makeCgroups } from "./cgroups";
import { hostDirectory, hostId } from "./paths";
import { commandOf, isAlive, type ProcessId } from "./processes";
import { lastLines } from "./run";
import type { Suite } from "./suites";
import { waitFor } from "./wait";

/**
 * Starts a host's systemd in its own namespaces, joined to the host's network namespace, which must be there, as must
 * its root tree. It stays when this process ends. Throws, with the boot log, when systemd has not started after 10 s.
 */
export async function launch(cluster: string, host: string, suite: Suite): Promise<void> {
  const id = hostId(cluster, host);
  const directory = hostDirectory(cluster, host);
  const cgroups = makeCgroups(id, suite);
  const mounts = hostHierarchies(suite).map((each) => `${each.type}:${each.directory}:${each.options}`);
  const log = openSync(join(directory, "boot.log"), "w");
  const namespaces = ["--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc"];
  const boot = ["/bin/sh", join(__dirname, "boot.sh")];
  const launcher = spawn("nsenter", [`--net=/run/netns/${id}`, "unshare", ...namespaces, "--", ...boot], {
    detached: true,
    stdio: ["ignore", log, log],
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      HOST: host,
      ROOT: join(directory, "root"),
      INIT: join(directory, "init"),
      CGROUP_PROCS: cgroups.map((cgroup) => join(cgroup, "cgroup.procs")).join(" "),
      CGROUP_MOUNTS: mounts.join(" "),
    },
  });
  closeSync(log);
  let failure: string | null = null;
  launcher.on("error", (error) => {
    failure = error.message;
  });
  launcher.on("exit", () => {
    failure ??= "it ended at once";
  });
  launcher.unref();
  await waitFor({
    what: `systemd to start on ${host}`,
    seconds: 60,
    everyMilliseconds: 10,
    probe: () => {
      if (failure !== null) throw new Error(`${host} can't boot, ${failure}:\n${bootLog(cluster, host)}`);
      const init = findInit(cluster, host);
      return init !== null && commandOf(init.pid)[0] === "/lib/systemd/systemd";
    },
    diagnose: () => bootLog(cluster, host),
  });
}

/** The host's process 1 as the machine knows it, or null when the host is off. */
export function findInit(cluster: string, host: string): ProcessId | null {
  let words: string[];
  try {
    words = readFileSync(join(hostDirectory(cluster, host), "init"), "utf8")
      .trim()
      .split(" ");
  } catch {
    return null;
  }
  const [pid, start] = words;
  if (pid === undefined || start === undefined) return null;
  const init = { pid: Number(pid), start };
  return isAlive(init) ? init : null;
}

/** The last lines that a host printed before and as its systemd started. */
export function bootLog(cluster: string, host: string): string {
  try {
    return lastLines(readFileSync(join(hostDirectory(cluster, host), "boot.log"), "utf8"), 20);
  } catch {
    return "";
  }
}
