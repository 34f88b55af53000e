import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../e2e/playbook";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { installPrograms } from "./programs";
import { bundlePath, CALLS, type Call, RESTART, SAVE, type Scenario } from "./scenarios";

/** How modules get onto a host and are called there, as Ansible does both. */

// Beside the unit, so that nothing of what modules look at or write is touched.
const COUNT_STARTS = `
mkdir -p /run/systemd/system/docker.service.d
echo '[Service]
ExecStartPre=/bin/sh -c "echo >>/var/lib/faults/docker-starts"' >/run/systemd/system/docker.service.d/count.conf
: >/var/lib/faults/docker-starts
systemctl daemon-reload
`;

/** Puts the bundles, the wrappers, the router's stand-in and what counts Docker's starts on a host, and keeps its files as they are. */
export async function makeReady(host: Host): Promise<void> {
  await installWeaveStandIn(host);
  for (const call of CALLS) await host.write(bundlePath(call), bundleOf(call));
  await installPrograms(host);
  await busyboxImage(host);
  await host.exec(["sh", "-c", `set -e\n${COUNT_STARTS}${SAVE}`]);
}

/** The module as Ansible sends it: with the options in the place of its marker. */
function bundleOf({ module, options }: Call): string {
  const text = readFileSync(join(ROOT, "roles/weave/library", module), "utf8");
  return text.replace("<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>", () => JSON.stringify(options));
}

export function command(call: Call): string[] {
  return ["node", bundlePath(call)];
}

/**
 * Plays' tasks, each with the handler that it notifies where the scenario has one, as a shell script that prints each
 * result and ends with the first that fails.
 */
export function commandsToFinish(...tasks: readonly Scenario[]): string {
  const commands = tasks.flatMap(({ call, restarts }) => [
    `play ${bundlePath(call)}`,
    ...(restarts ? [`{ ! grep -q '"restart_required":true' ${RESULT} || play ${bundlePath(RESTART)}; }`] : []),
  ]);
  return `play() { node "$1" >${RESULT}; status=$?; cat ${RESULT}; return $status; }\n${commands.join(" && ")}`;
}

const RESULT = "/var/lib/faults/result";

/** Runs shell scripts one after the other on a host, as one process; returns what each printed. */
export async function sections(host: Host, scripts: readonly string[]): Promise<string[]> {
  const mark = "====== next";
  const all = scripts.map((script) => `(\n${script}\n) 2>/dev/null; echo "${mark}"`).join("\n");
  const { stdout } = await host.exec(["sh", "-c", all], { check: false, timeoutSeconds: 180 });
  if (stdout.split(mark).length <= scripts.length) throw new Error(`${host.name} went off in the middle of a trial`);
  return stdout.split(`${mark}\n`);
}
