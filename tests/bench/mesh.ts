import * as assert from "uvu/assert";
import { type CommandResult, installCommand, runCommand } from "../e2e/command";
import { bootHosts } from "../e2e/hosts";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { hostId } from "../hosts/paths";
import { run } from "../hosts/run";
import { plug } from "./namespaces";
import { table } from "./page";
import type { Part, Samples } from "./part";
import { barChart } from "./plot";
import { interleaved, median, valuesOf } from "./statistics";

/** What one more peer costs a host: broadcasts, memory, changes, runs that have nothing to do. */
export const mesh: Part = { name: "mesh", measure, section, plots };

const ROUNDS = 5;
const PEERS = [0, 2, 10, 30, 100, 300];
const MOST = Math.max(...PEERS);

/** Frames in a burst. */
const FRAMES = 2000;

/** VXLANs whose entries together are enough to be seen in the kernel's memory. */
const DEVICES = 50;

const OWN_ADDRESS = "10.60.255.1";
const neighbourAddress = (index: number): string => `10.60.${index >> 7}.${1 + (index & 127)}`;

const copies = (peers: number): string => `packets out for a broadcast with ${peers} peers`;
const microseconds = (peers: number): string => `µs for a broadcast with ${peers} peers`;
const change = (peers: number): string => `ms to change one of ${peers} peers`;
const steady = (peers: number): string => `ms with nothing to do and ${peers} peers`;
const MEMORY = "bytes of a peer's entry";

async function measure(log: (line: string) => void): Promise<Samples> {
  const cluster = await bootHosts(1);
  try {
    const host = cluster.host("apollo1");
    await installCommand([host]);
    await host.exec(["ip", "addr", "add", `${OWN_ADDRESS}/16`, "dev", "eth0"]);
    await addNeighbours(cluster, MOST + 1);
    log(`${PEERS.join(", ")} peers, ${ROUNDS} rounds`);
    return await interleaved(measurementsOf(host), ROUNDS);
  } finally {
    await cluster.down();
  }
}

function measurementsOf(host: Host): Readonly<Record<string, () => Promise<number>>> {
  const measurements: Record<string, () => Promise<number>> = {};
  for (const peers of PEERS) {
    const some = Array.from({ length: peers }, (_, index) => index);
    const others = [...some.slice(0, -1), MOST];
    // Two figures of the same burst.
    let last: Burst;
    measurements[copies(peers)] = async () => {
      last = await burst(host, some);
      return last.copies;
    };
    measurements[microseconds(peers)] = async () => last.microseconds;
    if (peers === 0) continue;
    measurements[steady(peers)] = () => milliseconds(() => configure(host, some, false));
    measurements[change(peers)] = () => milliseconds(() => configure(host, others, true));
  }
  return { ...measurements, [MEMORY]: () => entryBytes(host) };
}

/**
 * Adds neighbours to the wire, which answer ARP and drop what they receive: one namespace with all addresses. It is removed
 * with the cluster.
 */
async function addNeighbours(cluster: Cluster, count: number): Promise<void> {
  const name = hostId(cluster.name, "neighbours");
  await run(["ip", "netns", "add", name]);
  await plug(cluster, "neighbours", name, "eth0");
  const addresses = Array.from({ length: count }, (_, index) => `addr add ${neighbourAddress(index)}/16 dev eth0\n`);
  await run(["ip", "-n", name, "-batch", "-"], { input: `link set eth0 up\n${addresses.join("")}` });
}

/** Makes these neighbours the host's only peers. Throws if that changes something although nothing is to change, or the reverse. */
async function configure(host: Host, neighbours: readonly number[], changes: boolean | null): Promise<CommandResult> {
  const peers = neighbours.map(neighbourAddress).join(",");
  const made = await runCommand(host, "bridge", {
    ...{ datapath: "vxlan", underlay: OWN_ADDRESS, "host-index": host.number, peers },
  });
  assert.not(made.failed, made.msg);
  if (changes !== null) assert.is(made.changed, changes, `${neighbours.length} peers`);
  return made;
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const started = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - started) / 1e6;
}

/** What a broadcast frame costs the host that sends it. */
interface Burst {
  /** Packets that left the host by eth0, per frame. */
  readonly copies: number;
  /** Sending time per frame. */
  readonly microseconds: number;
}

// From the host's own end of the bridge: sending returns only when each copy has been made and has left.
const SEND = `
import json, socket, sys, time
def sent():
    for line in open("/proc/net/dev"):
        if line.strip().startswith("eth0:"):
            return int(line.split(":")[1].split()[9])
ends = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ends.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
to = ("10.2.255.255", 9)
for _ in range(20): # Peers whose MAC addresses are not known yet are asked for them.
    ends.sendto(bytes(64), to)
    time.sleep(0.01)
time.sleep(0.2)
frames, before, start = int(sys.argv[1]), sent(), time.perf_counter()
for _ in range(frames):
    ends.sendto(bytes(64), to)
seconds = time.perf_counter() - start
time.sleep(0.2)
print(json.dumps({"copies": (sent() - before) / frames, "microseconds": seconds / frames * 1e6}))
`;

async function burst(host: Host, neighbours: readonly number[]): Promise<Burst> {
  await configure(host, neighbours, null);
  const { stdout } = await host.exec(["python3", "-c", SEND, String(FRAMES)], { timeoutSeconds: 60 });
  return JSON.parse(stdout) as Burst;
}

// The kernel's own memory before and after; entries need neither traffic nor a device that is up.
const FILL = `
import subprocess, sys
devices, peers = int(sys.argv[1]), int(sys.argv[2])
def used():
    rows = dict(line.split(":") for line in open("/proc/meminfo"))
    return 1024 * sum(int(rows[key].split()[0]) for key in ("Slab", "Percpu") if key in rows)
def batch(program, lines):
    subprocess.run([program, "-batch", "-"], input="".join(line + "\\n" for line in lines), text=True, check=True)
names = [f"mem{device}" for device in range(devices)]
batch("ip", [f"link add {name} type vxlan id {9000 + index} dstport 4790 local ${OWN_ADDRESS}" for index, name in enumerate(names)])
try:
    before = used()
    entry = "fdb append 00:00:00:00:00:00 dev {} dst 10.61.{}.{}"
    batch("bridge", [entry.format(name, peer >> 7, 1 + (peer & 127)) for name in names for peer in range(peers)])
    print((used() - before) / devices / peers)
finally:
    batch("ip", [f"link del {name}" for name in names])
`;

async function entryBytes(host: Host): Promise<number> {
  const argv = ["python3", "-c", FILL, String(DEVICES), String(MOST)];
  return Number((await host.exec(argv, { timeoutSeconds: 120 })).stdout);
}

const middle = (samples: Samples, name: string): number => median(valuesOf(samples, name));

/** What a host may spend on sending broadcasts: this part of a core for so many a second. */
const SHARE = 0.05;
const BROADCASTS = 100;

function section(samples: Samples): string {
  const bytes = middle(samples, MEMORY);
  const rows = PEERS.map((peers) => [
    String(peers),
    middle(samples, copies(peers)).toFixed(2),
    middle(samples, microseconds(peers)).toFixed(1),
    ((bytes * peers) / 1024).toFixed(1),
    ...[change, steady].map((name) => (peers === 0 ? "–" : middle(samples, name(peers)).toFixed(0))),
  ]);
  const others = PEERS.filter((peers) => Math.abs(middle(samples, copies(peers)) - peers) > 0.05);
  const left =
    others.length === 0 ? "One copy per peer leaves the host" : `Other than one copy per peer left with ${others}`;
  const each = perPeer(samples);
  const most = ((SHARE / BROADCASTS) * 1e6) / each;
  return `## How large a full mesh can be

The VXLAN of each host sends a broadcast frame, such as an ARP request, to each peer (head-end replication). Here a host sends ${FRAMES}
UDP broadcasts from the bridge itself, one right after another, and its eth0 counts the packets. The peers are up to ${MOST}
addresses in one namespace on the wire, which answers ARP and drops what it receives. So the figures are the sender's cost and somewhat
more, because the wire and the dropping mostly use the same core. Each peer receives one frame, however many peers there are. The
kernel's memory for a peer's entry is the difference that ${MOST} entries make in ${DEVICES} devices. "Change one peer" is a run of
the installed command on one host that replaces one peer by another, in the file and live; in a cluster all hosts do so at the same
time. Rounds, in turn: ${valuesOf(samples, copies(MOST)).length}.

${left}; each further peer adds ${each.toFixed(2)} µs and ${bytes.toFixed(0)} bytes.

${table(["peers", "packets out per frame", "µs per frame", "memory, kB", "change one peer, ms", "nothing to do, ms"], rows)}

![The time of a broadcast frame, by peers](performance/broadcast.svg)

A host that sends ${BROADCASTS} broadcasts a second spends ${SHARE * 100} % of a core on them with about ${Number(most.toPrecision(2))} peers. If all hosts of the cluster
send as many, each also receives ${BROADCASTS} a second from each of its peers. So a full mesh makes sense only up to about that size;
memory and the time of runs grow less. Larger clusters need a control plane that tells each host where each MAC address is, so that
nothing is flooded: EVPN by BGP, as in FRR (\`advertise-all-vni\`, with \`nolearning\` on the VXLAN and \`neigh_suppress\` on its port).
This project does not configure it.
`;
}

/** Microseconds that each further peer adds to a broadcast. */
function perPeer(samples: Samples): number {
  const [few = 0] = PEERS;
  return (middle(samples, microseconds(MOST)) - middle(samples, microseconds(few))) / (MOST - few);
}

function plots(samples: Samples): Readonly<Record<string, string>> {
  const times = PEERS.map((peers) => ({ label: `${peers} peers`, value: middle(samples, microseconds(peers)) }));
  return { broadcast: barChart("Time to send a broadcast frame", times, { unit: " µs", digits: 1 }) };
}
