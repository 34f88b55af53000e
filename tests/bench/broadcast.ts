import * as assert from "uvu/assert";
import { runCommand } from "../e2e/command";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { hostId } from "../hosts/paths";
import { run } from "../hosts/run";
import { plug } from "./namespaces";

/** What a broadcast frame costs the host that sends it. */
export interface Burst {
  /** Packets that left the host by eth0, per frame. */
  readonly copies: number;
  /** Sending time per frame. */
  readonly microseconds: number;
}

/** Frames in a burst. */
export const FRAMES = 2000;

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
for _ in range(20): # Peers whose hardware addresses are not known yet are asked for them.
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

const neighbourAddress = (index: number): string => `192.168.50.${101 + index}`;

/**
 * Adds up to 99 neighbours to the wire, which answer ARP and drop what they receive: one namespace with all addresses. It is
 * removed with the cluster.
 */
export async function addNeighbours(cluster: Cluster, count: number): Promise<void> {
  const name = hostId(cluster.name, "neighbours");
  await run(["ip", "netns", "add", name]);
  await plug(cluster, "neighbours", name, "eth0");
  const addresses = Array.from({ length: count }, (_, index) => `addr add ${neighbourAddress(index)}/24 dev eth0\n`);
  await run(["ip", "-n", name, "-batch", "-"], { input: `link set eth0 up\n${addresses.join("")}` });
}

/** Makes this many neighbours the only peers of a host, and sends a burst of broadcasts. */
export async function burst(host: Host, peers: number): Promise<Burst> {
  const list = Array.from({ length: peers }, (_, index) => neighbourAddress(index)).join(",");
  const options = { datapath: "vxlan", underlay: "eth0", "host-index": host.number, peers: list };
  const made = await runCommand(host, "bridge", options);
  assert.not(made.failed, made.msg);
  const { stdout } = await host.exec(["python3", "-c", SEND, String(FRAMES)]);
  return JSON.parse(stdout) as Burst;
}
