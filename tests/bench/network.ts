import { join } from "node:path";
import { bootHosts } from "../e2e/hosts";
import type { Host } from "../hosts/host";
import { run } from "../hosts/run";
import {
  ALONE,
  DOCKER,
  firstReply,
  HOSTS,
  makePaths,
  PATHS_HOSTS,
  type Path,
  PLAIN,
  PLAIN_PLUG,
  SWARM,
  SWARM_ENCRYPTED,
  UNFILTERED,
  VXLAN,
  WIREGUARD,
} from "./network_paths";
import { table } from "./page";
import type { Aim, Part, Samples } from "./part";
import { barChart } from "./plot";
import { interleaved, median, ratio, valuesOf } from "./statistics";
import { type Stream, stream } from "./throughput";

/** What the VXLAN datapath costs, beside Swarm's overlay: throughput, round trips, and the start of a container. */
export const network: Part = { name: "network", measure, headline, section, aims, plots };

const ROUNDS = 4;
const STREAMS = 8;
const ROUND_TRIPS = 2000;
const TARGET = 0.8;

const PATHS = [HOSTS, PLAIN, VXLAN, UNFILTERED, DOCKER, WIREGUARD, SWARM, SWARM_ENCRYPTED, ALONE];
/** The paths that are measured in packets, too. */
const CUT_PATHS: readonly string[] = [HOSTS, PLAIN, VXLAN];

const WHOLE = "Gbit/s";
const CUT = "Gbit/s in packets";
const BUSY = "core ms for a Gbit";
const BUSY_CUT = "core ms for a Gbit in packets";
const MANY = `Gbit/s of ${STREAMS} streams`;
const MEDIAN = "round trip in µs";
const LATE = "round trip in µs, 99th percentile";
const START = "ms to a first reply";
/** What is compared with Swarm's overlay; the last three are times. */
const COMPARED = [WHOLE, MANY, MEDIAN, LATE, START];

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

const isMeasured = (samples: Samples, name: string): boolean => samples[name] !== undefined;

function section(samples: Samples): string {
  const middle = (name: string, digits: number): string =>
    isMeasured(samples, name) ? median(valuesOf(samples, name)).toFixed(digits) : "–";
  const part = (quantity: string, path: string): string =>
    ratio(samples, `${quantity}, ${path}`, `${quantity}, ${HOSTS}`).toFixed(2);
  const paths = PATHS.filter((path) => isMeasured(samples, `${WHOLE}, ${path}`));
  const rows = [
    ...paths.map((path) => [
      path,
      ...[middle(`${WHOLE}, ${path}`, 2), part(WHOLE, path)],
      ...[middle(`${BUSY}, ${path}`, 0), part(BUSY, path)],
      ...[middle(`${MANY}, ${path}`, 2), middle(`${MEDIAN}, ${path}`, 0), middle(`${LATE}, ${path}`, 0)],
      middle(`${START}, ${path}`, 0),
    ]),
    ...CUT_PATHS.map((path) => [
      `${path}, in packets`,
      ...[middle(`${CUT}, ${path}`, 2), part(CUT, path)],
      ...[middle(`${BUSY_CUT}, ${path}`, 0), part(BUSY_CUT, path)],
      ...["–", "–", "–", "–"],
    ]),
  ];
  const head = ["path", "Gbit/s", "of host to host", "core ms for a Gbit", "of host to host"];
  return `## What the VXLAN datapath costs

The role joins test hosts in pairs: with Docker's default network, with a Docker network, and with WireGuard, which is
wireguard-go here, a program, because the test machine's kernel has none. The first pair is a Docker Swarm as well, with an attachable overlay. The wire is
a veth pair from each host to a bridge, MTU 1500. All paths are measured in turn, ${ROUNDS} rounds: one TCP stream and ${STREAMS} at once
(iperf3, 2 s after one to warm up); the round trips of ${ROUND_TRIPS} UDP datagrams of 64 bytes, their median and 99th percentile; and the
time from \`docker run\` until the new container has a reply from the other end. "Without VXLAN" is a second bridge on each host that is
attached directly to the wire, MTU 1500. "On one host" is a Docker network without an overlay. Everything shares this machine's
cores. So each round's ratio counts, and the table also shows how long both ends keep a core busy. No wire here splits TCP's
64 KB into packets. For "in packets" the sending host does so, as with a network card that can't, and each packet takes the
whole path.

${table([...head, `${STREAMS} streams, Gbit/s`, "round trip, µs", "99 %, µs", "first reply, ms"], rows)}

![Throughput of one TCP stream](performance/network.svg)
${besideSwarm(samples)}`;
}

/** How good a path of ours is, in units of Swarm's overlay, round by round: more is better, also of times. */
function roundsBesideSwarm(samples: Samples, quantity: string, path: string): readonly number[] {
  const [own, swarm] = [valuesOf(samples, `${quantity}, ${path}`), valuesOf(samples, `${quantity}, ${SWARM}`)];
  const isTime = COMPARED.indexOf(quantity) >= 2;
  return own.map((value, round) => {
    const other = swarm[round] ?? Number.NaN;
    return isTime ? other / value : value / other;
  });
}

const OURS = [VXLAN, UNFILTERED, DOCKER];

function besideSwarm(samples: Samples): string {
  if (!isMeasured(samples, `${WHOLE}, ${SWARM}`)) return "";
  const rows = COMPARED.map((quantity) => [
    quantity,
    ...OURS.map((path) => {
      const rounds = roundsBesideSwarm(samples, quantity, path);
      const [least, most] = [Math.min(...rounds), Math.max(...rounds)].map((value) => value.toFixed(2));
      return `${median(rounds).toFixed(2)} (${least} to ${most})`;
    }),
  ]);
  const esp = isMeasured(samples, `${WHOLE}, ${SWARM_ENCRYPTED}`)
    ? ""
    : " Swarm's encryption is not measured: it needs IPsec's ESP, which this machine's kernel does not have.";
  return `
Beside Swarm's overlay on the same hosts, as the ratio of each round, so that 1 or more is as good as Swarm or better, also of times.
The target, at least 1 in one round or more, is met or missed by each. Swarm's bridges are in network namespaces of their own, whose frames pass no iptables. Ours pass the
host's, where the kernel has br_netfilter: "frames not filtered" is without it.${esp}

${table(["", ...OURS], rows)}

![Round trips of UDP](performance/round-trips.svg)
`;
}

/** The throughput between containers on two hosts. */
function headline(samples: Samples): string {
  const [vxlan, hosts] = [VXLAN, HOSTS].map((path) => median(valuesOf(samples, `${WHOLE}, ${path}`)).toFixed(1));
  const own = ratio(samples, `${WHOLE}, ${VXLAN}`, `${WHOLE}, ${HOSTS}`).toFixed(2);
  const swarm = isMeasured(samples, `${WHOLE}, ${SWARM}`)
    ? `, ${ratio(samples, `${WHOLE}, ${VXLAN}`, `${WHOLE}, ${SWARM}`).toFixed(2)} of Swarm's overlay on the same hosts`
    : "";
  return `Between containers on two hosts, the VXLAN datapath carries ${own} of the hosts' own throughput (${vxlan} of ${hosts} Gbit/s on the test machine)${swarm}.`;
}

function aims(samples: Samples): Aim[] {
  const value = ratio(samples, `${WHOLE}, ${VXLAN}`, `${WHOLE}, ${HOSTS}`);
  const own: Aim = { what: `throughput of host to host, ${VXLAN}`, value, target: TARGET, least: true };
  if (!isMeasured(samples, `${WHOLE}, ${SWARM}`)) return [own];
  const others = [VXLAN, DOCKER].flatMap((path) =>
    COMPARED.map((quantity): Aim => {
      const rounds = roundsBesideSwarm(samples, quantity, path);
      // Within the spread of the rounds, both are the same.
      const isSame = Math.max(...rounds) >= 1;
      const what = `${quantity}, ${path}, beside Swarm's overlay`;
      return { what, value: isSame ? Math.max(1, median(rounds)) : median(rounds), target: 1, least: true };
    }),
  );
  return [own, ...others];
}

function plots(samples: Samples): Readonly<Record<string, string>> {
  const bars = (quantity: string, suffix = "") =>
    PATHS.filter((path) => isMeasured(samples, `${quantity}, ${path}`)).map((path) => ({
      label: path + suffix,
      value: median(valuesOf(samples, `${quantity}, ${path}`)),
      tint: OURS.includes(path) ? (0 as const) : (1 as const),
    }));
  const times = bars(MEDIAN);
  return {
    network: barChart("Throughput of one TCP stream", [...bars(WHOLE), ...bars(CUT, ", in packets")], {
      unit: " Gbit/s",
    }),
    ...(times.length > 0 && { "round-trips": barChart("Median round trip of UDP", times, { unit: " µs", digits: 0 }) }),
  };
}
