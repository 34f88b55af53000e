import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../hosts/host";
import { sleep } from "../hosts/wait";

export interface Capture {
  readonly frames: number;
  /** UDP packets by destination port. */
  readonly ports: Readonly<Record<string, number>>;
  /** Frames that have each of the texts in them. */
  readonly texts: Readonly<Record<string, number>>;
}

/** What passes a host's device for some seconds, while `work` is done, read by capture.py from an AF_PACKET socket. */
export async function capture(
  host: Host,
  device: string,
  seconds: number,
  texts: readonly string[],
  work: () => Promise<unknown>,
): Promise<Capture> {
  const program = readFileSync(join(__dirname, "capture.py"), "utf8");
  const argv = ["python3", "-", device, String(seconds), ...texts];
  const reading = host.exec(argv, { input: program, timeoutSeconds: 60 });
  await sleep(1000); // until it listens
  await work();
  return JSON.parse((await reading).stdout.replace("ready\n", "")) as Capture;
}
