import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../hosts/host";

/** Programs that a module starts, and that these start in turn, made to fail by a wrapper in place of all of a host's. */

/** How a program can fail; the last is that it keeps running while the module is killed. */
const PROGRAM_FAULTS = ["fails", "fails-when-done", "killed", "killed-with-module", "outlives-module"] as const;

export type ProgramFault = (typeof PROGRAM_FAULTS)[number];

/**
 * Takes a line of what `STARTED` prints; returns how that program is to fail. Within another program, such as ifup, only
 * those that change a host count, and its failing or its death says all.
 */
export function programFaults(program: string): readonly ProgramFault[] {
  if (!program.startsWith("within: ")) return PROGRAM_FAULTS;
  return CHANGING.test(program) ? ["fails", "killed-with-module"] : [];
}

const CHANGING = /^within: (ip|bridge|iptables|ethtool|systemctl|docker) /;

const DIRECTORY = "/var/lib/faults";

// The modules look for programs in /usr/local/sbin first, and so does what they start. In its own mount namespace it
// is seen by nobody else: not by systemd, nor by the services.
const RUN = `mount --bind ${DIRECTORY}/programs /usr/local/sbin && exec "$@"`;

/** Takes a command line; returns the one that runs it with the wrapper in place of every program. */
export function watched(argv: readonly string[]): string[] {
  return ["unshare", "--mount", "sh", "-c", RUN, "sh", ...argv];
}

/** Puts the wrapper on a host. systemd-run finds wireguard-go here, but systemd starts it where the wrapper is not seen. */
export async function installPrograms(host: Host): Promise<void> {
  await host.write(`${DIRECTORY}/program.sh`, readFileSync(join(__dirname, "program.sh")), 0o755);
  const link = `mkdir -p ${DIRECTORY}/programs && cd ${DIRECTORY}/programs && for program in /usr/sbin/* /usr/bin/* /usr/local/bin/*; do
    ln -sf ${DIRECTORY}/program.sh "\${program##*/}"
  done && rm -f wireguard-go`;
  await host.exec(["sh", "-c", link]);
}

/** A shell script that has the program of this number go wrong in the next watched run; 0 is none. */
export function arming(at: number, what: ProgramFault | "nothing"): string {
  return `cd ${DIRECTORY} && rm -f hit log && echo 0 >count && echo "${at} ${what}" >fault\n`;
}

/** A shell script that prints the command lines of all programs that the watched run has started. */
export const STARTED = `cat ${DIRECTORY}/log\n`;

/** A shell script that prints which fault a program had of the watched run. */
export const HIT = `cat ${DIRECTORY}/hit\n`;
