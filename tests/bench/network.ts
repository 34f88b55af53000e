import { join } from "node:path";
import { bootHosts } from "../e2e/hosts";
import type { Host } from "../hosts/host";
import { run } from "../hosts/run";
import { firstReply, makePaths, PATHS_HOSTS, type Path, PLAIN_PLUG } from "./network_paths";
import {
  aims,
  BUSY,
  BUSY_CUT,
  CUT,
  CUT_PATHS,
  headline,
  LATE,
  MANY,
  MEDIAN,
  plots,
  ROUND_TRIPS,
  START,
  STREAMS,
  section,
  WHOLE,
} from "./network_section";
import type { Part, Samples } from "./part";
import { interleaved } from "./statistics";
import { type Stream, stream } from "./throughput";

/** What the VXLAN datapath costs, beside Swarm's overlay: throughput, round trips, and the start of a container. */
export const network: Part = { name: "network", measure, headline, section, aims, plots };

const ROUNDS = 7;

async function measure(log: (line: string) => void): Promise<Samples> {
  const cluster = await bootHosts(PATHS_HOSTS);
  try {
    const paths = await makePaths(cluster);
    log(`${ROUNDS} rounds on ${Object.keys(paths).length} paths`);
    return await interleaved(measurementsOf(cluster.host("apollo1"), paths), ROUNDS);
  } finally {
    await cluster.down();
  }
}

function measurementsOf(
  host: Host,
  paths: Readonly<Record<string, Path>>,
): Readonly<Record<string, () => Promise<number>>> {
  const measurements: Record<string, () => Promise<number>> = {};
  for (const [name, path] of Object.entries(paths)) {
    // Two figures of the same measurement.
    let last: Stream;
    let times: RoundTrips;
    const add = (quantity: string, figure: () => Promise<number>): void => {
      measurements[`${quantity}, ${name}`] = () => onPath(path, figure);
    };
    add(WHOLE, async () => {
      last = await stream(path.from, path.to, path.address);
      return last.gigabits;
    });
    add(BUSY, async () => last.milliseconds);
    if (CUT_PATHS.includes(name)) {
      add(CUT, async () => {
        last = await inPackets(host, () => stream(path.from, path.to, path.address));
        return last.gigabits;
      });
      add(BUSY_CUT, async () => last.milliseconds);
    }
    add(MANY, async () => (await stream(path.from, path.to, path.address, STREAMS)).gigabits);
    add(MEDIAN, async () => {
      times = await roundTrips(path);
      return times.median;
    });
    add(LATE, async () => times.late);
    const { start } = path;
    if (start !== null) add(START, () => firstReply(start.host, start.network, path.address));
  }
  return measurements;
}

async function onPath({ around }: Path, figure: () => Promise<number>): Promise<number> {
  await around?.before();
  try {
    return await figure();
  } finally {
    await around?.after();
  }
}

/** Of UDP datagrams, in µs. */
interface RoundTrips {
  readonly median: number;
  /** The 99th percentile. */
  readonly late: number;
}

async function roundTrips({ from, to, address }: Path): Promise<RoundTrips> {
  const program = ["python3", join(__dirname, "round_trips.py")];
  const { stdout } = await run([...program, from, to, address, String(ROUND_TRIPS)], { timeoutSeconds: 120 });
  return JSON.parse(stdout) as RoundTrips;
}

/** Measures while the host's devices split TCP's 64 KB into packets themselves. */
async function inPackets(host: Host, measureStream: () => Promise<Stream>): Promise<Stream> {
  const features = ["tso", "gso", "tx-udp_tnl-segmentation", "tx-udp_tnl-csum-segmentation"];
  const leaveToTheWire = async (value: "on" | "off"): Promise<void> => {
    const settings = features.flatMap((feature) => [feature, value]);
    for (const plug of ["eth0", PLAIN_PLUG]) await host.exec(["ethtool", "-K", plug, ...settings]);
  };
  await leaveToTheWire("off");
  try {
    return await measureStream();
  } finally {
    await leaveToTheWire("on");
  }
}
