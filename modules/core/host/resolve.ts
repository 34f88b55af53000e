import { execFile } from "node:child_process";
import { UserError } from "../errors";
import { endAtSignal } from "../process_failure";

const GETENT = "/usr/bin/getent";
const LOOK_UP_SECONDS = 10;

/**
 * The IPv4 addresses of host names; none for a name that is not resolved in time. getent resolves as this host's programs do
 * (getaddrinfo, so by /etc/hosts and all of nsswitch.conf). Node.js's dns.lookup does too, but only two names at a time, and
 * it keeps the process alive until the last answer. Throws a UserError if getent is missing.
 */
export async function resolveNames(names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const distinct = [...new Set(names)];
  const commands = distinct.map((name) => [GETENT, "ahostsv4", name]);
  const outputs = await runTogether(commands, LOOK_UP_SECONDS, "Install getent (apt install libc-bin).");
  return new Map(distinct.map((name, index) => [name, parseGetent(outputs[index] ?? "")]));
}

/** Parses the output of `getent ahostsv4 NAME`, which has a line for each address and socket type. */
export function parseGetent(output: string): readonly string[] {
  return [...new Set(output.split("\n").flatMap((line) => /^[\d.]+(?=\s)/.exec(line)?.[0] ?? []))];
}

/**
 * Runs programs in parallel. Returns the standard output of each, empty if it fails or is killed after `seconds`. Throws a
 * UserError, which ends with `remedy`, if one can't be started.
 */
export function runTogether(
  commands: readonly (readonly string[])[],
  seconds: number,
  remedy: string,
): Promise<string[]> {
  return Promise.all(commands.map((argv) => runForOutput(argv, seconds, remedy)));
}

function runForOutput([program = "", ...args]: readonly string[], seconds: number, remedy: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const limits = { timeout: seconds * 1000, killSignal: "SIGKILL" } as const;
    const child = execFile(program, args, { env: {}, ...limits }, (error, stdout) => {
      const failed = error !== null && typeof error.code === "string";
      if (failed) reject(new UserError(`${program}: can't be run (found ${error.code}). ${remedy}`));
      else resolve(error === null ? stdout : "");
    });
    endAtSignal(child);
  });
}
