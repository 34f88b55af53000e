import { cpus } from "node:os";
import { waitFor } from "../hosts/wait";
import { inNetwork } from "./namespaces";

const PORT = "5301";
const SECONDS = "2";
// Each end on a core of its own, as two hosts would have: else the scheduler's choice decides the figures.
const CORES = `0,${cpus().length - 1}`;

/** The result of TCP streams, together. */
export interface Stream {
  /** Gbit/s, as received. */
  readonly gigabits: number;
  /** How long both ends kept a core busy per Gbit, in ms, including the kernel's work for them. */
  readonly milliseconds: number;
}

/** Sends TCP streams with iperf3 from one network namespace to an address in another, for some seconds. */
export async function stream(from: string, to: string, address: string, streams = 1): Promise<Stream> {
  const serving = inNetwork(to, ["iperf3", "--server", "--one-off", "--idle-timeout", "20", "--port", PORT]);
  const failed = serving.then(() => undefined);
  failed.catch(() => undefined); // Seen below, once the client has ended too.
  await waitFor({
    what: "iperf3 to listen",
    seconds: 5,
    probe: async () => (await inNetwork(to, ["ss", "-Htln", "sport", "=", `:${PORT}`])) !== "",
  });
  const client = [
    "iperf3",
    "--client",
    address,
    "--port",
    PORT,
    "--time",
    SECONDS,
    "--omit",
    "1",
    "--affinity",
    CORES,
    "--parallel",
    String(streams),
    "--json",
  ];
  const [printed] = await Promise.all([inNetwork(from, client), failed]);
  const { end } = JSON.parse(printed) as Report;
  const gigabits = end.sum_received.bits_per_second / 1e9;
  const { host_total: near, remote_total: far } = end.cpu_utilization_percent;
  return { gigabits, milliseconds: ((near + far) * 10) / gigabits };
}

/** The parts of iperf3's report that are used. */
interface Report {
  readonly end: {
    readonly sum_received: { readonly bits_per_second: number };
    /** Per cent of one core, on average over the stream. */
    readonly cpu_utilization_percent: { readonly host_total: number; readonly remote_total: number };
  };
}
