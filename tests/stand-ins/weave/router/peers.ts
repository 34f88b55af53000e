/** What is known of peers and connections, as mesh's status.go of v2.8.1 reports it, and what stand-ins tell each other. */
import { isRecord } from "./text";

/** One connection in a peer's status: mesh's connectionStatus. */
export interface PeerConnection {
  Name: string;
  NickName: string;
  Address: string;
  Outbound: boolean;
  Established: boolean;
}

/** mesh's PeerStatus. `Connections` is null, not [], when there are none: a nil slice of Go. UID has 64 bits: see `uid`. */
export interface PeerStatus {
  Name: string;
  NickName: string;
  UID: string;
  ShortID: number;
  Version: number;
  Connections: PeerConnection[] | null;
}

/** mesh's LocalConnectionStatus. */
export interface ConnectionStatus {
  Address: string;
  Outbound: boolean;
  State: "established" | "pending" | "connecting" | "retrying" | "failed" | "waiting";
  Info: string;
  Attrs: Record<string, string | number | boolean> | null;
}

/** A message between two stand-ins. */
export interface Hello {
  standIn: "weave";
  /** Digest of the password, or undefined when there is none. Test passwords only: this protects nothing. */
  proof: string | undefined;
  peer: PeerStatus;
  /** All other peers that the sender knows. */
  others: PeerStatus[];
  /** What the sender's IPAM and DNS tell everybody, by the name of the channel. */
  gossip: Record<string, unknown>;
}

const UID = "uint64:";

/** A UID as a string that `withUids` writes as a number: it may have 64 bits, which a number of JavaScript can't hold. */
export function uid(value: bigint): string {
  return `${UID}${value}`;
}

/** JSON in which the UIDs are numbers, of up to 64 bits, as Go writes them. */
export function withUids(json: string): string {
  return json.replace(new RegExp(`"${UID}(\\d+)"`, "g"), "$1");
}

/** Reads a line of another stand-in; undefined if it is none. */
export function parseHello(line: string): Hello | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value["standIn"] !== "weave") return undefined;
  const peer = parsePeer(value["peer"]);
  if (!peer) return undefined;
  const proof = value["proof"];
  const others = Array.isArray(value["others"]) ? value["others"] : [];
  return {
    standIn: "weave",
    proof: typeof proof === "string" ? proof : undefined,
    peer,
    others: others.flatMap((other) => parsePeer(other) ?? []),
    gossip: isRecord(value["gossip"]) ? value["gossip"] : {},
  };
}

function parsePeer(peer: unknown): PeerStatus | undefined {
  if (!isRecord(peer) || typeof peer["Name"] !== "string" || typeof peer["NickName"] !== "string") return undefined;
  const connections = Array.isArray(peer["Connections"]) ? peer["Connections"].filter(isRecord) : [];
  return {
    Name: peer["Name"],
    NickName: peer["NickName"],
    UID: String(peer["UID"]),
    ShortID: Number(peer["ShortID"]),
    Version: Number(peer["Version"]),
    Connections:
      connections.length === 0
        ? null
        : connections.map((end) => ({
            Name: String(end["Name"]),
            NickName: String(end["NickName"]),
            Address: String(end["Address"]),
            Outbound: end["Outbound"] === true,
            Established: end["Established"] === true,
          })),
  };
}

/** How many connections it is from `source` to each peer that it reaches, by names. */
function distances(source: string, peers: PeerStatus[]): Map<string, number> {
  const found = new Map([[source, 0]]);
  const queue = [source];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    for (const end of neighbours(name, peers)) {
      if (found.has(end)) continue;
      found.set(end, (found.get(name) ?? 0) + 1);
      queue.push(end);
    }
  }
  return found;
}

function neighbours(name: string, peers: PeerStatus[]): string[] {
  const ends = peers.find((peer) => peer.Name === name)?.Connections ?? [];
  return ends.filter((end) => end.Established).map((end) => end.Name);
}

/** Those of `peers` that `own` reaches, itself first. */
export function reachable(own: string, peers: PeerStatus[]): PeerStatus[] {
  const reached = distances(own, peers);
  return peers.filter((peer) => reached.has(peer.Name));
}

/** UnicastRoutes and BroadcastRoutes of the peer `own`, one of each for every peer (mesh's routes.go). */
export function routes(own: string, peers: PeerStatus[]) {
  const next = neighbours(own, peers);
  const from = new Map(next.map((hop) => [hop, distances(hop, peers)]));
  const UnicastRoutes = peers.map(({ Name }) => {
    const hops = next.filter((hop) => from.get(hop)?.has(Name));
    const length = (hop: string): number => from.get(hop)?.get(Name) ?? Number.POSITIVE_INFINITY;
    const [via] = hops.sort((a, b) => length(a) - length(b));
    return { Dest: Name, Via: Name === own ? "00:00:00:00:00:00" : (via ?? Name) };
  });
  const BroadcastRoutes = peers.map(({ Name }) => {
    const reached = distances(Name, peers);
    const behind = next.filter((hop) => (reached.get(hop) ?? 0) > (reached.get(own) ?? 0));
    return { Source: Name, Via: behind.length > 0 ? behind : null };
  });
  return { UnicastRoutes, BroadcastRoutes };
}

/** A line of `weave status connections`. */
export function connectionLine(connection: ConnectionStatus): string {
  const attributes = Object.entries(connection.Attrs ?? {}).flatMap(([key, v]) =>
    key === "name" ? [] : [`${key}=${v}`],
  );
  const arrow = connection.Outbound ? "->" : "<-";
  return `${arrow} ${connection.Address.padEnd(21)} ${connection.State.padEnd(11)} ${connection.Info} ${attributes.join("")}\n`;
}

/** The lines of one peer in `weave status peers`. */
export function peerLines(peer: PeerStatus): string {
  const ends = (peer.Connections ?? []).map((end) => {
    const who = `${end.Name}(${end.NickName})`.padEnd(37);
    const arrow = end.Outbound ? "->" : "<-";
    return `   ${arrow} ${end.Address.padEnd(21)} ${who} ${end.Established ? "established" : "pending"}\n`;
  });
  return `${peer.Name}(${peer.NickName})\n${ends.join("")}`;
}
