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
export const network: Part = { name: "network", measure, section, plots };

const ROUNDS = 7;
const PEERS = [0, 2, 10, 30];
const TARGET = 0.8;

const HOSTS = "host to host";
const PLAIN = "containers without VXLAN";
const VXLAN = "containers by VXLAN";
const WAYS = [HOSTS, PLAIN, VXLAN] as const;

const WHOLE = "Gbit/s";
const CUT = "Gbit/s in packets";
const BUSY = "core ms for a Gbit";
const BUSY_CUT = "core ms for a Gbit in packets";
const ROUND_TRIP = "round trip in ms";

/** A way between two hosts: where the one end is, as namespace and as what runs a program there, and the other. */
interface Way {
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
    const ways = await waysOf(cluster);
    log("throughput and round trips");
    const between = await interleaved(betweenHosts(host, ways), ROUNDS);
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

async function waysOf(cluster: Cluster): Promise<Readonly<Record<(typeof WAYS)[number], Way>>> {
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

function betweenHosts(host: Host, ways: Readonly<Record<string, Way>>): Record<string, () => Promise<number>> {
  const whole = ({ from, to, address }: Way): Promise<Stream> => stream(from, to, address);
  const cut = async (way: Way): Promise<Stream> => {
    await leaveCuttingToTheWire(host, false);
    try {
      return await whole(way);
    } finally {
      await leaveCuttingToTheWire(host, true);
    }
  };
  const measurements: Record<string, () => Promise<number>> = {};
  for (const [quantity, busy, measureStream] of [
    [WHOLE, BUSY, whole],
    [CUT, BUSY_CUT, cut],
  ] as const) {
    for (const [name, way] of Object.entries(ways)) {
      // Two figures of one and the same stream.
      let last: Stream;
      measurements[`${quantity}, ${name}`] = async () => {
        last = await measureStream(way);
        return last.gigabits;
      };
      measurements[`${busy}, ${name}`] = async () => last.milliseconds;
    }
  }
  for (const [name, { enter, address }] of Object.entries(ways)) {
    measurements[`${ROUND_TRIP}, ${name}`] = () => roundTrip(host, enter, address);
  }
  return measurements;
}

/** Whether a host's plugs take up to 64 KB of a TCP stream at once, as a network card that cuts it into packets does. */
async function leaveCuttingToTheWire(host: Host, leave: boolean): Promise<void> {
  const features = ["tso", "gso", "tx-udp_tnl-segmentation", "tx-udp_tnl-csum-segmentation"];
  const settings = features.flatMap((feature) => [feature, leave ? "on" : "off"]);
  for (const plug of ["eth0", PLAIN_PLUG]) await host.exec(["ethtool", "-K", plug, ...settings]);
}

const middle = (samples: Samples, name: string): number => median(valuesOf(samples, name));

function section(samples: Samples): string {
  const row = (way: string, quantity: string, busy: string): string[] => [
    middle(samples, `${quantity}, ${way}`).toFixed(2),
    ratio(samples, `${quantity}, ${way}`, `${quantity}, ${HOSTS}`).toFixed(2),
    middle(samples, `${busy}, ${way}`).toFixed(0),
    ratio(samples, `${busy}, ${way}`, `${busy}, ${HOSTS}`).toFixed(2),
  ];
  const head = ["Gbit/s", "of host to host", "core ms for a Gbit", "of host to host"];
  const broadcasts = PEERS.map((peers) => [
    String(peers),
    middle(samples, copies(peers)).toFixed(2),
    middle(samples, microseconds(peers)).toFixed(1),
  ]);
  const whole = WAYS.map((way) => [way, ...row(way, WHOLE, BUSY), middle(samples, `${ROUND_TRIP}, ${way}`).toFixed(3)]);
  const cut = WAYS.map((way) => [`${way}, in packets`, ...row(way, CUT, BUSY_CUT), "–"]);
  return `## What the VXLAN datapath costs

Two test hosts with a container each are joined by the role; a veth pair from each host to a bridge, MTU 1500, is the wire. One
TCP stream (iperf3, 3 s after one to warm up) and the median of 100 pings go in turn, ${ROUNDS} rounds: from host to host; from
container to container without VXLAN, which is the same path over a second bridge on each host that is plugged straight into
the wire, MTU 1500; and from container to container by VXLAN, MTU 1450. Both ends and all between share this machine's
cores, and whatever else runs here takes of them: so each round's ratio counts, and beside it stands how long the two ends
keep a core busy. No wire here cuts TCP's 64 KB into packets; "in packets" has the sending host do so, as where the network card
can't, and each packet then takes the whole path.

${verdict(samples)}

${table(["way", ...head, "round trip, ms"], [...whole, ...cut])}

![Throughput of one TCP stream](performance/network.svg)

A broadcast frame is copied to each peer by the host that it comes from (head-end replication). A host sends ${FRAMES} UDP
broadcasts from its own end of the bridge, one right after another; its eth0 counts the packets that leave. The peers are up to
${Math.max(...PEERS)} addresses in one namespace on the wire that answer ARP and drop what they are sent, not hosts: so this is what the
sender bears and, as the wire and the dropping mostly take the same core before the sender goes on, somewhat more. A peer bears one
frame each, whatever their number.

${growing(samples)}

${table(["peers", "packets out per frame", "µs per frame"], broadcasts)}

![The time of a broadcast frame, by peers](performance/broadcast.svg)
`;
}

/** Whether the target is met, by these figures, and what the other ratios are. */
function verdict(samples: Samples): string {
  const of = (quantity: string, way: string): number => ratio(samples, `${quantity}, ${VXLAN}`, `${quantity}, ${way}`);
  const value = of(WHOLE, HOSTS);
  const others = [
    `${of(WHOLE, PLAIN).toFixed(2)} of that between containers without VXLAN`,
    `in packets ${of(CUT, HOSTS).toFixed(2)} and ${of(CUT, PLAIN).toFixed(2)}`,
  ];
  return `By VXLAN the throughput is ${value.toFixed(2)} of that ${HOSTS}; the target, ${TARGET}, is ${value < TARGET ? "missed" : "met"}. It is ${others.join(", and ")}.`;
}

/** How the time of a broadcast grows, by these figures. */
function growing(samples: Samples): string {
  const [few = 0, many = 0] = [PEERS[0], PEERS[PEERS.length - 1]];
  const more = middle(samples, microseconds(many)) - middle(samples, microseconds(few));
  const astray = PEERS.filter((peers) => Math.abs(middle(samples, copies(peers)) - peers) > 0.01);
  const left =
    astray.length === 0 ? "As many copies leave as there are peers" : `Not one copy a peer left with ${astray}`;
  return `${left}; each peer more adds ${(more / (many - few)).toFixed(2)} µs.`;
}

function plots(samples: Samples): Readonly<Record<string, string>> {
  const bars = [WHOLE, CUT].flatMap((quantity, index) =>
    WAYS.map((way) => ({
      label: index === 0 ? way : `${way}, in packets`,
      value: middle(samples, `${quantity}, ${way}`),
      tint: way === VXLAN ? (0 as const) : (1 as const),
    })),
  );
  const times = PEERS.map((peers) => ({ label: `${peers} peers`, value: middle(samples, microseconds(peers)) }));
  return {
    network: barChart("Throughput of one TCP stream", bars, { unit: " Gbit/s" }),
    broadcast: barChart("Time to send a broadcast frame", times, { unit: " µs", digits: 1 }),
  };
}
