import type { Host } from "../hosts/host";
import { median } from "./statistics";

const PINGS = 100;

/** Pings an address every 10 ms from inside `enter`. Returns the median round trip in ms; throws if a ping is lost. */
export async function roundTrip(host: Host, enter: readonly string[], address: string): Promise<number> {
  const { stdout } = await host.exec([...enter, "ping", "-n", "-i", "0.01", "-c", String(PINGS), address]);
  const times = [...stdout.matchAll(/ time=([\d.]+) ms/g)].map(([, time]) => Number(time));
  if (times.length !== PINGS) throw new Error(`${times.length} of ${PINGS} pings to ${address} were answered`);
  return median(times);
}
