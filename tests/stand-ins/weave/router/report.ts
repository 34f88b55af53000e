/** What the router reports of itself: GET /report, as JSON, and GET /status, as text (prog/weaver/http.go of v2.8.1). */

import { versionFamily } from "./behaviour";
import { CAPTURING, DATAPATH } from "./bridge";
import { routes } from "./peers";
import type { Router } from "./router";
import { countText, tally } from "./text";

/** The report as `GET /report` gives it. Lists that are empty are null, as Go's are. */
export function report(router: Router) {
  const { settings, mesh, names } = router;
  const connections = mesh.connections();
  const targets = mesh.maker.names();
  const entries = names?.status() ?? [];
  const captured = settings.captured();
  const macs = [...captured.macs].flatMap(([Mac, { from, lastSeen }]) => {
    const peer = from === "" ? { Name: settings.name, NickName: settings.nickName } : mesh.peerAt(from);
    return peer ? { Mac, Name: peer.Name, NickName: peer.NickName, LastSeen: lastSeen.toISOString() } : [];
  });
  return {
    ...(versionFamily(settings.version) === "2.x" ? { Ready: router.isReady() } : {}),
    Version: settings.version,
    VersionCheck: { Enabled: false, Success: false, NewVersion: "", NextCheckAt: "0001-01-01T00:00:00Z" },
    Router: {
      Protocol: "weave",
      ProtocolMinVersion: 1,
      ProtocolMaxVersion: 2,
      Encryption: settings.password !== undefined,
      PeerDiscovery: settings.peerDiscovery,
      Name: settings.name,
      NickName: settings.nickName,
      Port: mesh.port,
      Peers: mesh.peers(),
      ...routes(settings.name, mesh.peers()),
      Connections: connections.length > 0 ? connections : null,
      TerminationCount: mesh.terminations,
      Targets: targets.length > 0 ? targets : null,
      OverlayDiagnostics: settings.fastdp ? { fastdp: { Vports: null, Flows: null }, sleeve: null } : { sleeve: null },
      TrustedSubnets: settings.trustedSubnets,
      Interface: settings.fastdp ? `${DATAPATH} (via ODP)` : `${CAPTURING} (via pcap)`,
      CaptureStats: settings.fastdp
        ? { FlowMisses: 0 }
        : { PacketsDropped: 0, PacketsIfDropped: 0, PacketsReceived: captured.received },
      MACs: macs.length > 0 ? macs : null,
    },
    ...(router.allocator ? { IPAM: router.allocator.status() } : {}),
    ...(names
      ? {
          DNS: {
            Domain: "weave.local.",
            Upstream: router.upstream().length > 0 ? router.upstream() : null,
            Address: settings.dnsAddress,
            TTL: 1,
            Entries: entries.length > 0 ? entries : null,
          },
        }
      : {}),
    ...(settings.proxyAddress === undefined ? {} : { Proxy: { Addresses: [settings.proxyAddress] } }),
    ...(settings.plugin ? { Plugin: { Config: { Enable: true, EnableV2: false }, DriverName: "weave" } } : {}),
  };
}

/** The text of `weave status`, 1.2 and later. */
export function statusText(router: Router): string {
  const { settings, mesh, names } = router;
  const connections = mesh.connections();
  const peers = mesh.peers();
  const ends = peers.flatMap((peer) => peer.Connections ?? []);
  const states = tally(connections.map(({ State }) => State));
  const ready = tally(ends.map((end) => (end.Established ? "established" : "pending")));
  const order = ["established", "pending", "retrying", "failed", "connecting"];
  const sections = [
    [["Version", `${settings.version} (version check update disabled)`]],
    [
      ["Service", "router"],
      ["Protocol", "weave 1..2"],
      ["Name", `${settings.name}(${settings.nickName})`],
      ["Encryption", settings.password === undefined ? "disabled" : "enabled"],
      ["PeerDiscovery", settings.peerDiscovery ? "enabled" : "disabled"],
      ["Targets", String(mesh.maker.names().length)],
      ["Connections", countText(connections.length, states, order)],
      ["Peers", countText(peers.length, ready, order.slice(0, 2), "with ", " connections")],
      ["TrustedSubnets", settings.trustedSubnets.length > 0 ? settings.trustedSubnets.join(", ") : "none"],
    ],
  ];
  const section = (...lines: [string, string][]): void => void sections.push(lines);
  if (router.allocator) {
    const { Range, DefaultSubnet } = router.allocator.status();
    section(
      ["Service", "ipam"],
      ["Status", ipamStatus(router)],
      ["Range", String(Range)],
      ["DefaultSubnet", String(DefaultSubnet)],
    );
  }
  if (names) {
    const upstream = router.upstream().join(", ") || "none";
    section(
      ["Service", "dns"],
      ["Domain", "weave.local."],
      ["Upstream", upstream],
      ["TTL", "1"],
      ["Entries", String(names.status().filter((entry) => entry["Tombstone"] === 0).length)],
    );
  }
  if (settings.proxyAddress !== undefined) section(["Service", "proxy"], ["Address", settings.proxyAddress]);
  if (settings.plugin) section(["Service", "plugin (legacy)"], ["DriverName", "weave"]);
  return sections
    .map((lines) => lines.map(([key = "", value = ""]) => `${key.padStart(15)}: ${value}\n`).join(""))
    .join("\n");
}

function ipamStatus(router: Router): string {
  const status = router.allocator?.status();
  if (status?.Entries) {
    if (!status.Entries.some(({ IsKnownPeer }) => IsKnownPeer)) {
      return "all IP ranges owned by unreachable peers - use 'rmpeer' if they are dead";
    }
    return status.PendingAllocates ? "waiting for IP(s) to become available" : "ready";
  }
  if (!status?.Paxos) return "idle";
  return `awaiting consensus (quorum: ${status.Paxos.Quorum}, known: ${status.Paxos.KnownNodes})`;
}

/** The lines of `weave status dns`. */
export function dnsLines({ names }: Router): string {
  const lines = (names?.status() ?? []).flatMap(({ Hostname, Address, ContainerID, Origin, Tombstone }) => {
    if (Tombstone !== 0) return [];
    const short = String(Hostname).replace(/\.weave\.local\.$/, "");
    return `${short.padEnd(12)} ${String(Address).padEnd(15)} ${String(ContainerID).slice(0, 12).padStart(12)} ${Origin}\n`;
  });
  return lines.join("");
}

/** The lines of `weave status ipam`: this peer first. */
export function ipamLines({ allocator, settings }: Router): string {
  const status = allocator?.status();
  const owners = new Map<string, { nick: string; size: number; known: boolean }>();
  for (const { Peer, Nickname, Size, IsKnownPeer } of status?.Entries ?? []) {
    const size = (owners.get(Peer)?.size ?? 0) + Size;
    owners.set(Peer, { nick: Nickname, size, known: IsKnownPeer });
  }
  const own = settings.name;
  const sorted = [...owners].sort(([a], [b]) => Number(b === own) - Number(a === own));
  const lines = sorted.map(([name, { nick, size, known }]) => {
    const share = ((size * 100) / (status?.RangeNumIPs ?? 1)).toFixed(1).padStart(4, "0");
    const note = name === own ? `(${status?.ActiveIPs} active)` : known ? "" : "- unreachable!";
    return `${`${name}(${nick})`.padEnd(37)} ${String(size).padStart(8)} IPs (${share}% of total) ${note}\n`;
  });
  return lines.join("");
}

/** The text of the router's status up to 1.0, by published output of `weave status` of 1.0.1. */
export function statusTextOld({ settings, mesh }: Router): string {
  const lines = [
    `weave router ${settings.version}`,
    `Our name is ${settings.name}(${settings.nickName})`,
    `Encryption ${settings.password === undefined ? "off" : "on"}`,
    `Peer discovery ${settings.peerDiscovery ? "on" : "off"}`,
    "Sniffing traffic on &{10 65535 ethwe 00:00:00:00:00:00 up|broadcast|multicast}",
    "MACs:",
    "Peers:",
  ];
  for (const peer of mesh.peers()) {
    lines.push(`${peer.Name}(${peer.NickName}) (v${peer.Version}) (UID ${peer.UID.replace(/^\w+:/, "")})`);
    for (const end of peer.Connections ?? []) {
      lines.push(`   -> ${end.Name}(${end.NickName}) [${end.Address}]${end.Established ? "" : " (unestablished)"}`);
    }
  }
  lines.push("Routes:", "unicast:", `${settings.name} -> 00:00:00:00:00:00`, "broadcast:", `${settings.name} -> []`);
  lines.push("Direct Peers:", ...mesh.maker.names(), "Reconnects:");
  for (const connection of mesh.connections()) {
    if (connection.State === "failed") lines.push(`->[${connection.Address}] (${connection.Info})`);
  }
  if (settings.ipallocRange !== undefined) lines.push(`Allocator range ${settings.ipallocRange}`);
  return `${lines.join("\n")}\n`;
}

export function metrics({ mesh }: Router): string {
  const all = mesh.connections();
  const established = all.filter((connection) => connection.State === "established").length;
  return [
    "# HELP weave_connections Number of peer-to-peer connections.",
    "# TYPE weave_connections gauge",
    `weave_connections{encryption="",state="established",type="sleeve"} ${established}`,
    `weave_connections{encryption="",state="failed",type=""} ${all.length - established}`,
    "# HELP weave_connection_terminations_total Number of peer-to-peer connection terminations.",
    "# TYPE weave_connection_terminations_total counter",
    `weave_connection_terminations_total ${mesh.terminations}`,
    "",
  ].join("\n");
}
