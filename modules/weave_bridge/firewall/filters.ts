import type { PacketFilter } from "../../formats/filter_rules";
import { wordsOfRule } from "../../formats/iptables_save";
import { type Outcome, outcomeInChain, type Packet } from "../../net/packet_filter";
import { type Firewall, type NeededTraffic, ownComment, ownRules, wordsOfPairs } from "./needed_traffic";

/** This host's end of the tunnels: where the peers' packets arrive, unless the traffic names a device. */
export interface LocalEndpoint {
  readonly device: string;
  readonly address: string;
}

/**
 * The first packet of this traffic, as it arrives here. Without a protocol, it stands for packets of any protocol.
 */
export function packetOf(needed: NeededTraffic, { device, address }: LocalEndpoint): Packet {
  // Frames between the bridge's ports are from any container. Of the rules that name addresses, none matches 0.0.0.0.
  const { family, hook, protocol, port, source = "0.0.0.0" } = needed;
  // Otherwise it is as the source: any container, or link-local inside WireGuard.
  const destination = needed.destination ?? (hook === "input" && family === "ipv4" ? address : source);
  return {
    family,
    source,
    destination,
    state: "new",
    ...(protocol !== undefined && { protocol, port: String(port) }),
    in: needed.in ?? device,
    out: needed.out ?? "",
    type: hook === "input" ? "local" : "unicast",
  };
}

/** What becomes of this traffic in the base chains of one of the hooks. */
export function outcomeOf(filter: PacketFilter, needed: NeededTraffic, endpoint: LocalEndpoint): Outcome {
  const base = filter.base.filter(({ hook }) => hook === needed.hook);
  return worstOf(base.map((chain) => outcomeInChain(chain, filter, packetOf(needed, endpoint))));
}

/** The strictest of several verdicts: a packet must pass all chains. */
export function worstOf(outcomes: readonly Outcome[]): Outcome {
  return (["drop", "unknown"] as const).find((each) => outcomes.includes(each)) ?? "accept";
}

/** The rules of iptables and ip6tables in the table filter. */
export interface Tables {
  readonly ipv4: PacketFilter;
  readonly ipv6: PacketFilter;
}

/** iptables on a host where no other program keeps its rules. The frames between the bridge's ports have a separate rule. */
export function iptablesFirewall(bridge: string, tables: Tables, outcome: Firewall["outcome"]): Firewall {
  const argv = (verb: string, needed: NeededTraffic): string[] => {
    return [PROGRAMS[needed.family], "-w", verb, ...iptablesRule(ownComment(bridge), needed)];
  };
  return {
    name: "iptables",
    outcome,
    own: (["ipv4", "ipv6"] as const).flatMap((family) =>
      ownRules(bridge, [...tables[family].chains.values()].flat(), ({ reference }) => {
        return [PROGRAMS[family], "-w", "-D", ...wordsOfRule(reference).slice(1)];
      }),
    ),
    add: (all) => all.map((needed) => argv("-I", needed)),
    check: (needed) => `${argv("-C", needed).join(" ")} 2>/dev/null`,
  };
}

const PROGRAMS = { ipv4: "iptables", ipv6: "ip6tables" } as const;

function iptablesRule(comment: string, needed: NeededTraffic): string[] {
  const { id, source, destination, protocol, port } = needed;
  return [
    "INPUT",
    ...wordsOfPairs(
      ["-s", source],
      ["-d", destination],
      ["-i", needed.in],
      ["-p", protocol],
      [`-m ${protocol} --dport`, port],
      ["-m comment --comment", comment + id],
      ["-j", "ACCEPT"],
    ),
  ];
}

/** The base chains of nftables. A packet must pass each of them. */
export function nftFirewalls(bridge: string, filter: PacketFilter, endpoint: LocalEndpoint): Firewall[] {
  return filter.base.map((base): Firewall => {
    const chain = base.chain.split(" ");
    const [family = ""] = chain;
    const argv = (needed: NeededTraffic): string[] => {
      return ["nft", "insert", "rule", ...chain, ...nftRule(ownComment(bridge), needed)];
    };
    return {
      name: `nftables' chain ${base.chain}`,
      outcome: (needed) =>
        needed.hook === base.hook && ["inet", IP[needed.family]].includes(family)
          ? outcomeInChain(base, filter, packetOf(needed, endpoint))
          : "accept",
      own: ownRules(bridge, filter.chains.get(base.chain) ?? [], ({ reference }) => {
        return ["nft", "delete", "rule", ...chain, "handle", reference];
      }),
      add: (all) => all.map(argv),
      check: ({ id }) => `nft list chain ${base.chain} 2>/dev/null | grep -qw ${ownComment(bridge)}${id}`,
    };
  });
}

const IP = { ipv4: "ip", ipv6: "ip6" };

/** The comment is one word, as the shell would remove quotes. */
function nftRule(
  comment: string,
  { id, family, source, destination, protocol, port, ...devices }: NeededTraffic,
): string[] {
  const ip = IP[family];
  return wordsOfPairs(
    ["iifname", devices.in],
    ["oifname", devices.out],
    [`${ip} saddr`, source],
    [`${ip} daddr`, destination],
    [`${protocol} dport`, port],
    ["accept comment", comment + id],
  );
}
