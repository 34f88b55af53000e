import { ALONE, DOCKER, HOSTS, PLAIN, SWARM, SWARM_ENCRYPTED, UNFILTERED, VXLAN, WIREGUARD } from "./network_paths";
import { table } from "./page";
import { type Aim, isMissed, type Samples } from "./part";
import { barChart } from "./plot";
import { median, ratio, valuesOf } from "./statistics";

const TARGET = 0.8;

const PATHS = [HOSTS, PLAIN, VXLAN, UNFILTERED, DOCKER, WIREGUARD, SWARM, SWARM_ENCRYPTED, ALONE];
/** The paths that are measured in packets, too. */
export const CUT_PATHS: readonly string[] = [HOSTS, PLAIN, VXLAN];

export const STREAMS = 8;
export const ROUND_TRIPS = 2000;

export const WHOLE = "Gbit/s";
export const CUT = "Gbit/s in packets";
export const BUSY = "core ms for a Gbit";
export const BUSY_CUT = "core ms for a Gbit in packets";
export const MANY = `Gbit/s of ${STREAMS} streams`;
export const MEDIAN = "round trip in µs";
export const LATE = "round trip in µs, 99th percentile";
export const START = "ms to a first reply";
/** What is compared with Swarm's overlay; the last three are times. */
const COMPARED = [WHOLE, MANY, MEDIAN, LATE, START];

const isMeasured = (samples: Samples, name: string): boolean => samples[name] !== undefined;

/** The section of the page. A sentence is there only if what it says was measured. */
export function section(samples: Samples): string {
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
  head.push(`${STREAMS} streams, Gbit/s`, "round trip, µs", "99 %, µs", "first reply, ms");
  const columns = head.flatMap((_, column) => (rows.some((row) => row[column] !== "–") ? [column] : []));
  const measured = (row: readonly string[]): string[] => columns.map((column) => row[column] ?? "–");
  return `## What the VXLAN datapath costs

${setup(samples)}

${table(measured(head), rows.map(measured))}

![Throughput of one TCP stream](performance/network.svg)
${besideSwarm(samples)}`;
}

/** How the paths that were measured were made, and what of them was measured. */
function setup(samples: Samples): string {
  const ways = {
    [VXLAN]: "with Docker's default network",
    [DOCKER]: "with a Docker network",
    [WIREGUARD]: "with WireGuard",
  };
  const joined = Object.entries(ways).flatMap(([path, way]) => (isMeasured(samples, `${WHOLE}, ${path}`) ? [way] : []));
  const rounds = valuesOf(samples, `${WHOLE}, ${HOSTS}`).length;
  const sentence = (name: string, text: string): string[] => (isMeasured(samples, name) ? [text] : []);
  return [
    `The role connects test hosts in pairs: ${joined.join(", ")}. The wire is a veth pair from each host to a bridge, MTU 1500.`,
    "",
    "The paths:",
    "",
    '- "Without VXLAN" is a second bridge on each host that is attached directly to the wire, MTU 1500.',
    ...sentence(`${WHOLE}, ${ALONE}`, '- "On one host" is a Docker network without an overlay.'),
    ...sentence(
      `${WHOLE}, ${WIREGUARD}`,
      "- WireGuard is wireguard-go here, a program, because the test machine's kernel has no WireGuard.",
    ),
    ...sentence(
      `${WHOLE}, ${SWARM}`,
      "- Swarm's overlay is attachable, on a Docker Swarm that the first pair of hosts forms as well.",
    ),
    "- No wire here splits TCP's 64 KB into packets. \"In packets\" the sending host does so, as with a network card that can't,",
    "  and each packet takes the whole path.",
    "",
    `What is measured, on all paths in turn (rounds: ${rounds}):`,
    "",
    "- the throughput of one TCP stream by iperf3, for 2 s, after 1 s to warm up;",
    ...sentence(`${MANY}, ${HOSTS}`, `- that of ${STREAMS} streams at once;`),
    ...sentence(
      `${MEDIAN}, ${HOSTS}`,
      `- the round trips of ${ROUND_TRIPS} UDP datagrams of 64 bytes, as their median and 99th percentile;`,
    ),
    ...sentence(
      `${START}, ${VXLAN}`,
      "- the time from `docker run` until the new container has a reply from the other end;",
    ),
    "- how long both ends keep a core busy.",
    "",
    "Each end is bound to its own core. Everything shares this machine's cores, so the ratio within a round is what matters.",
    `The target is that ${VXLAN} have at least ${TARGET} of the throughput of host to host (one stream).`,
  ].join("\n");
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
    : "\nSwarm's encryption is not measured: it needs IPsec's ESP, which this machine's kernel does not have.";
  return `
This table compares the paths with Swarm's overlay on the same hosts, as the ratio of each round: 1 or more is as good as Swarm or better,
also for times. The target is at least 1 in at least one round, except for "frames not filtered". ${targetBesideSwarm(samples)} Swarm's
bridges are in separate network namespaces, whose frames pass through no iptables. The role's bridge passes its frames through the
host's iptables if the kernel has br_netfilter; "frames not filtered" is without it.${esp}

${table(["", ...OURS], rows)}

![Round trips of UDP](performance/round-trips.svg)
`;
}

/** The throughput between containers on two hosts. */
export function headline(samples: Samples): string {
  const [vxlan, hosts] = [VXLAN, HOSTS].map((path) => median(valuesOf(samples, `${WHOLE}, ${path}`)).toFixed(1));
  const own = ratio(samples, `${WHOLE}, ${VXLAN}`, `${WHOLE}, ${HOSTS}`).toFixed(2);
  const swarm = isMeasured(samples, `${WHOLE}, ${SWARM}`)
    ? `, ${ratio(samples, `${WHOLE}, ${VXLAN}`, `${WHOLE}, ${SWARM}`).toFixed(2)} of Swarm's overlay on the same hosts`
    : "";
  return `Between containers on two hosts, the VXLAN datapath carries ${own} of the hosts' own throughput (${vxlan} of ${hosts} Gbit/s on the test machine)${swarm}.`;
}

/** The figures with targets. */
export function aims(samples: Samples): Aim[] {
  const value = ratio(samples, `${WHOLE}, ${VXLAN}`, `${WHOLE}, ${HOSTS}`);
  const own: Aim = { what: `throughput of host to host, ${VXLAN}`, value, target: TARGET, least: true };
  return isMeasured(samples, `${WHOLE}, ${SWARM}`) ? [own, ...aimsBesideSwarm(samples)] : [own];
}

function aimsBesideSwarm(samples: Samples): readonly Aim[] {
  return [VXLAN, DOCKER].flatMap((path) =>
    COMPARED.map((quantity): Aim => {
      const rounds = roundsBesideSwarm(samples, quantity, path);
      // Within the spread of the rounds, both are the same.
      const isSame = Math.max(...rounds) >= 1;
      const what = `${quantity}, ${path}, beside Swarm's overlay`;
      return { what, value: isSame ? Math.max(1, median(rounds)) : median(rounds), target: 1, least: true };
    }),
  );
}

function targetBesideSwarm(samples: Samples): string {
  const missed = aimsBesideSwarm(samples).filter(isMissed);
  return missed.length === 0 ? "All figures meet it." : `Missed by: ${missed.map(({ what }) => what).join("; ")}.`;
}

/** The throughput and the round trips of each path. */
export function plots(samples: Samples): Readonly<Record<string, string>> {
  const bars = (quantity: string, suffix = "") =>
    PATHS.filter((path) => isMeasured(samples, `${quantity}, ${path}`)).map((path) => ({
      label: path + suffix,
      value: median(valuesOf(samples, `${quantity}, ${path}`)),
      tint: [...OURS, WIREGUARD].includes(path) ? (0 as const) : (1 as const),
    }));
  const times = bars(MEDIAN);
  return {
    network: barChart("Throughput of one TCP stream", [...bars(WHOLE), ...bars(CUT, ", in packets")], {
      unit: " Gbit/s",
    }),
    ...(times.length > 0 && { "round-trips": barChart("Median round trip of UDP", times, { unit: " µs", digits: 0 }) }),
  };
}
