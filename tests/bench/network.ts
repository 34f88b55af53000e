import * as assert from "uvu/assert";
import { installCommand } from "../e2e/command";
import { bootHosts } from "../e2e/hosts";
import { intoContainer } from "../e2e/pings";
import { ansiblePlaybook } from "../e2e/playbook";
import { findServices, startServices } from "../e2e/services";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { addNeighbours, burst, FRAMES } from "./broadcast";
import { interleaved } from "./interleaved";
import { networkOf } from "./namespaces";
import { table } from "./page";
import type { Part, Samples } from "./part";
import { joinPlainly, PLAIN_PLUG } from "./plain_path";
import { barChart } from "./plot";
import { roundTrip } from "./round_trip";
import { median, ratio, valuesOf } from "./statistics";
import { type Stream, stream } from "./throughput";

/** What the VXLAN datapath costs: throughput, round trip, and broadcasts by the number of peers. */
export const network: Part = { name: "network", measure, headline, section, plots };

const ROUNDS = 7;
const PEERS = [0, 2, 10, 30];
const TARGET = 0.8;

const HOSTS = "host to host";
const PLAIN = "containers without VXLAN";
const VXLAN = "containers by VXLAN";
const PATHS = [HOSTS, PLAIN, VXLAN] as const;

const WHOLE = "Gbit/s";
const CUT = "Gbit/s in packets";
const BUSY = "core ms for a Gbit";
const BUSY_CUT = "core ms for a Gbit in packets";
const ROUND_TRIP = "round trip in ms";

/** A path between two hosts: the network namespaces of its ends, the command that enters the first, the address of the second. */
interface Path {
  readonly from: string;
  readonly enter: readonly string[];
  readonly to: string;
  readonly address: string;
}

async function measure(log: (line: string) => void): Promise<Samples> {
  const cluster = await bootHosts(2);
  try {
    const { status, output } = await ansiblePlaybook(cluster.inventory, ["site.yml", "-e", "weave_datapath=vxlan"]);
    assert.is(status, 0, output);
    const host = cluster.host("apollo1");
    const paths = await pathsOf(cluster);
    log("throughput and round trips");
    const between = await interleaved(betweenHosts(host, paths), ROUNDS);
    log("broadcasts");
    await installCommand([host]);
    await addNeighbours(cluster, Math.max(...PEERS));
    const broadcasts = PEERS.flatMap((peers) => [
      [copies(peers), async () => (await burst(host, peers)).copies] as const,
      [microseconds(peers), async () => (await burst(host, peers)).microseconds] as const,
    ]);
    return { ...between, ...(await interleaved(Object.fromEntries(broadcasts), ROUNDS)) };
  } finally {
    await cluster.down();
  }
}

const copies = (peers: number): string => `packets out for a broadcast with ${peers} peers`;
const microseconds = (peers: number): string => `µs for a broadcast with ${peers} peers`;

async function pathsOf(cluster: Cluster): Promise<Readonly<Record<(typeof PATHS)[number], Path>>> {
  await startServices(cluster, 1);
  const [near, far] = await findServices(cluster, 1);
  assert.ok(near && far);
  const [, plain = ""] = await joinPlainly(cluster, [near, far]);
  const hosts = {
    from: await networkOf(cluster, near.host),
    enter: [],
    to: await networkOf(cluster, far.host),
    address: far.host.address,
  };
  const containers = {
    from: await networkOf(cluster, near.host, near.name),
    enter: await intoContainer(near.host, near.name),
    to: await networkOf(cluster, far.host, far.name),
  };
  return {
    [HOSTS]: hosts,
    [PLAIN]: { ...containers, address: plain },
    [VXLAN]: { ...containers, address: far.address },
  };
}

function betweenHosts(host: Host, paths: Readonly<Record<string, Path>>): Record<string, () => Promise<number>> {
  const whole = ({ from, to, address }: Path): Promise<Stream> => stream(from, to, address);
  const cut = async (path: Path): Promise<Stream> => {
    await leaveCuttingToTheWire(host, false);
    try {
      return await whole(path);
    } finally {
      await leaveCuttingToTheWire(host, true);
    }
  };
  const measurements: Record<string, () => Promise<number>> = {};
  for (const [quantity, busy, measureStream] of [
    [WHOLE, BUSY, whole],
    [CUT, BUSY_CUT, cut],
  ] as const) {
    for (const [name, path] of Object.entries(paths)) {
      // Two figures of the same stream.
      let last: Stream;
      measurements[`${quantity}, ${name}`] = async () => {
        last = await measureStream(path);
        return last.gigabits;
      };
      measurements[`${busy}, ${name}`] = async () => last.milliseconds;
    }
  }
  for (const [name, { enter, address }] of Object.entries(paths)) {
    measurements[`${ROUND_TRIP}, ${name}`] = () => roundTrip(host, enter, address);
  }
  return measurements;
}

/** Whether a host's devices accept up to 64 KB of a TCP stream at once, as a network card does that splits it into packets. */
async function leaveCuttingToTheWire(host: Host, leave: boolean): Promise<void> {
  const features = ["tso", "gso", "tx-udp_tnl-segmentation", "tx-udp_tnl-csum-segmentation"];
  const settings = features.flatMap((feature) => [feature, leave ? "on" : "off"]);
  for (const plug of ["eth0", PLAIN_PLUG]) await host.exec(["ethtool", "-K", plug, ...settings]);
}

const middle = (samples: Samples, name: string): number => median(valuesOf(samples, name));

function section(samples: Samples): string {
  const row = (path: string, quantity: string, busy: string): string[] => [
    middle(samples, `${quantity}, ${path}`).toFixed(2),
    ratio(samples, `${quantity}, ${path}`, `${quantity}, ${HOSTS}`).toFixed(2),
    middle(samples, `${busy}, ${path}`).toFixed(0),
    ratio(samples, `${busy}, ${path}`, `${busy}, ${HOSTS}`).toFixed(2),
  ];
  const head = ["Gbit/s", "of host to host", "core ms for a Gbit", "of host to host"];
  const broadcasts = PEERS.map((peers) => [
    String(peers),
    middle(samples, copies(peers)).toFixed(2),
    middle(samples, microseconds(peers)).toFixed(1),
  ]);
  const whole = PATHS.map((path) => [
    path,
    ...row(path, WHOLE, BUSY),
    middle(samples, `${ROUND_TRIP}, ${path}`).toFixed(3),
  ]);
  const cut = PATHS.map((path) => [`${path}, in packets`, ...row(path, CUT, BUSY_CUT), "–"]);
  return `## What the VXLAN datapath costs

The role joins two test hosts with a container each. The wire is a veth pair from each host to a bridge, MTU 1500. One TCP stream
(iperf3, 3 s after one to warm up) and the median of 100 pings are measured in turn, ${ROUNDS} rounds, on three paths: from host to
host; from container to container without VXLAN, over a second bridge on each host that is attached directly to the wire, MTU
1500; and from container to container by VXLAN, MTU 1450. Everything shares this machine's cores. So each round's ratio counts, and
the table also shows how long both ends keep a core busy. No wire here splits TCP's 64 KB into packets. For "in packets" the
sending host does so, as with a network card that can't, and each packet takes the whole path.

${verdict(samples)}

${table(["path", ...head, "round trip, ms"], [...whole, ...cut])}

![Throughput of one TCP stream](performance/network.svg)

The sender copies a broadcast frame to each peer (head-end replication). A host sends ${FRAMES} UDP broadcasts from its own end of
the bridge, one right after another, and its eth0 counts the packets. The peers are up to ${Math.max(...PEERS)} addresses in one namespace on the
wire that answer ARP and drop what they receive. So this is the sender's cost and somewhat more, because the wire and the dropping
mostly use the same core. Each peer receives one frame, however many peers there are.

${growing(samples)}

${table(["peers", "packets out per frame", "µs per frame"], broadcasts)}

![The time of a broadcast frame, by peers](performance/broadcast.svg)
`;
}

/** The throughput between containers on two hosts. */
function headline(samples: Samples): string {
  const [vxlan, hosts] = [VXLAN, HOSTS].map((path) => middle(samples, `${WHOLE}, ${path}`).toFixed(1));
  const part = ratio(samples, `${WHOLE}, ${VXLAN}`, `${WHOLE}, ${HOSTS}`).toFixed(2);
  return `Between containers on two hosts, the VXLAN datapath carries ${part} of the hosts' own throughput (${vxlan} of ${hosts} Gbit/s on the test machine).`;
}

/** Whether the target is met, and the other ratios. */
function verdict(samples: Samples): string {
  const of = (quantity: string, path: string): number =>
    ratio(samples, `${quantity}, ${VXLAN}`, `${quantity}, ${path}`);
  const value = of(WHOLE, HOSTS);
  const others = [
    `${of(WHOLE, PLAIN).toFixed(2)} of that between containers without VXLAN`,
    `in packets ${of(CUT, HOSTS).toFixed(2)} and ${of(CUT, PLAIN).toFixed(2)}`,
  ];
  return `By VXLAN the throughput is ${value.toFixed(2)} of that ${HOSTS}; the target, ${TARGET}, is ${value < TARGET ? "missed" : "met"}. It is ${others.join("; ")}.`;
}

/** How the time of a broadcast grows. */
function growing(samples: Samples): string {
  const [few = 0, many = 0] = [PEERS[0], PEERS[PEERS.length - 1]];
  const more = middle(samples, microseconds(many)) - middle(samples, microseconds(few));
  const astray = PEERS.filter((peers) => Math.abs(middle(samples, copies(peers)) - peers) > 0.01);
  const left =
    astray.length === 0 ? "One copy per peer leaves the host" : `Other than one copy per peer left with ${astray}`;
  return `${left}; each further peer adds ${(more / (many - few)).toFixed(2)} µs.`;
}

function plots(samples: Samples): Readonly<Record<string, string>> {
  const bars = [WHOLE, CUT].flatMap((quantity, index) =>
    PATHS.map((path) => ({
      label: index === 0 ? path : `${path}, in packets`,
      value: middle(samples, `${quantity}, ${path}`),
      tint: path === VXLAN ? (0 as const) : (1 as const),
    })),
  );
  const times = PEERS.map((peers) => ({ label: `${peers} peers`, value: middle(samples, microseconds(peers)) }));
  return {
    network: barChart("Throughput of one TCP stream", bars, { unit: " Gbit/s" }),
    broadcast: barChart("Time to send a broadcast frame", times, { unit: " µs", digits: 1 }),
  };
}
