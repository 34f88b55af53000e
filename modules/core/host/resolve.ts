import { execFile } from "node:child_process";
import { UserError } from "../errors";

const GETENT = "/usr/bin/getent";
const LOOK_UP_SECONDS = 10;

/**
 * Takes host names; returns the IPv4 addresses of each, none where it has none or nobody answers in time. getent asks as
 * this host's programs do (getaddrinfo, so /etc/hosts counts, and what else nsswitch.conf names). Node's dns.lookup does
 * so too, but two names at a time, and it holds the process up until the last one is answered. Throws a UserError where
 * there is no getent.
 */
export async function resolveNames(names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const distinct = [...new Set(names)];
  const commands = distinct.map((name) => [GETENT, "ahostsv4", name]);
  const outputs = await runTogether(commands, LOOK_UP_SECONDS);
  return new Map(distinct.map((name, index) => [name, parseAddresses(outputs[index] ?? "")]));
}

/** Reads the output of `getent ahostsv4 NAME`: a line for each address and kind of socket. */
export function parseAddresses(output: string): readonly string[] {
  return [...new Set(output.split("\n").flatMap((line) => /^[\d.]+(?=\s)/.exec(line)?.[0] ?? []))];
}

/**
 * Runs programs at the same time. Returns the standard output of each, empty where it fails or is not done in time, when
 * it is killed. Throws a UserError where one can't be started.
 */
export function runTogether(commands: readonly (readonly string[])[], seconds: number): Promise<string[]> {
  return Promise.all(commands.map((argv) => outputOf(argv, seconds)));
}

function outputOf([program = "", ...args]: readonly string[], seconds: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const limits = { timeout: seconds * 1000, killSignal: "SIGKILL" } as const;
    execFile(program, args, { env: {}, ...limits }, (error, stdout) => {
      const failed = error !== null && typeof error.code === "string";
      if (failed) reject(new UserError(`can't run ${program}: ${error.message}`));
      else resolve(error === null ? stdout : "");
    });
  });
}
