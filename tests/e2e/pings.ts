import type { Machine } from "../hosts/machine";
import { sleep, waitFor } from "../hosts/wait";

/** A ping that goes on until it is ended. */
export interface Pings {
  /** Ends it; returns how many were answered, and the numbers of those that were lost or answered twice. */
  end(): Promise<{ answered: number; lost: number[]; doubled: number[] }>;
}

/** The time from one ping to the next, in seconds. */
export const PING_SECONDS = 0.05;

/** Pings an address every PING_SECONDS from a host or, if given, from one of its containers. */
export async function startPings(host: Machine, address: string, container?: string): Promise<Pings> {
  const file = `/run/pings-${container ?? "node"}-${address}`;
  const enter = container === undefined ? [] : await intoContainer(host, container);
  const start = 'file=$1; shift; "$@" >"$file" 2>&1 </dev/null & echo $!';
  const ping = [...enter, "ping", "-n", "-i", String(PING_SECONDS), address];
  const { stdout: pid } = await host.exec(["sh", "-c", start, "sh", file, ...ping]);
  return {
    async end() {
      await sleep(300); // for what the last change did
      await host.exec(["kill", "-INT", pid.trim()]);
      const { output, sent } = await summary(host, file);
      const seen = [...output.matchAll(/bytes from .*icmp_seq=(\d+)/g)].map(([, number]) => Number(number));
      // The very last one may have been sent just before the end, with its answer on the way.
      const last = Math.max(sent - 1, ...seen);
      const numbers = Array.from({ length: last }, (_, index) => index + 1);
      return {
        answered: new Set(seen).size,
        lost: numbers.filter((number) => !seen.includes(number)),
        doubled: seen.filter((number, index) => seen.indexOf(number) !== index),
      };
    },
  };
}

/** All that a ping that was asked to end has printed, and how many it says that it sent. */
async function summary(host: Machine, file: string): Promise<{ output: string; sent: number }> {
  let output = "";
  const sent = (): string | undefined => /^(\d+) packets transmitted/m.exec(output)?.[1];
  await waitFor({
    what: `the ping of ${file} to end`,
    seconds: 10,
    probe: async () => {
      output = await host.read(file);
      return sent() !== undefined;
    },
    diagnose: () => output,
  });
  return { output, sent: Number(sent()) };
}

/** What runs a program of the host's in the network of one of its containers. */
export async function intoContainer(host: Machine, container: string): Promise<string[]> {
  const { stdout } = await host.exec(["docker", "inspect", "--format", "{{.State.Pid}}", container]);
  return ["nsenter", "--net", "--target", stdout.trim()];
}
