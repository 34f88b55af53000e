import { isIPv4 } from "node:net";
import { addressOf } from "../../net/ipv4";
import type { Outcome } from "../../net/packet_filter";
import { WIREGUARD_SUFFIX } from "../names";

/** Traffic that the firewalls must accept: packets to this host, or those that the bridge forwards. */
export interface NeededTraffic {
  /** Identifies it in the comments of the rules that accept it. */
  readonly id: string;
  readonly description: string;
  readonly hook: "input" | "forward";
  readonly family: "ipv4" | "ipv6";
  readonly in?: string;
  readonly out?: string;
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: string;
  readonly port?: number;
}

/** One set of rules that packets must pass, and how this module changes it. */
export interface Firewall {
  readonly name: string;
  /** What becomes of the traffic; "accept" if this set does not decide on it. */
  readonly outcome: (needed: NeededTraffic) => Outcome;
  /** This module's own rules. */
  readonly own: readonly OwnRule[];
  readonly add: (traffic: readonly NeededTraffic[]) => readonly (readonly string[])[];
  /** What the operator has to do if no rule of this module can accept the traffic; null if one can. */
  readonly obstacle?: (needed: NeededTraffic) => string | null;
  /** Shell that succeeds if its rule is there, where nothing else keeps the rules: what is missing is added at boot. */
  readonly check?: (needed: NeededTraffic) => string;
  /** What else the operator has to do. */
  readonly warnings?: readonly string[];
}

/** What to do if another rule comes before this module's. */
export const DROPPED_BEFORE =
  "Remove the rule that drops it before this module's rule can accept it (iptables -S, nft list ruleset).";

/** What begins the comments of this module's rules for a bridge. */
export const ownComment = (bridge: string): string => `weave_bridge/${bridge}/`;

/** A rule of this module. */
export interface OwnRule {
  /** The id of the traffic that the rule accepts; another text if that is not needed. */
  readonly id: string;
  readonly remove: readonly (readonly string[])[];
}

/** This module's rules for the bridge among some, by their comments. */
export function ownRules<Rule extends { readonly comment: string }>(
  bridge: string,
  rules: readonly Rule[],
  remove: (rule: Rule) => readonly string[],
): OwnRule[] {
  const own = ownComment(bridge);
  return rules.flatMap((rule) =>
    rule.comment.startsWith(own) ? [{ id: rule.comment.slice(own.length), remove: [remove(rule)] }] : [],
  );
}

/** Flattens [keywords, value] pairs into words, and skips pairs without a value. */
export function wordsOfPairs(
  ...pairs: readonly (readonly [words: string, value: string | number | undefined])[]
): string[] {
  return pairs.flatMap(([words, value]) => (value === undefined ? [] : [...words.split(" "), String(value)]));
}

/** A tunnel between this host and others, by the underlay. */
export interface Tunnel {
  readonly protocols: readonly string[];
  readonly port: number;
  /** The peers' addresses on the underlay. */
  readonly peers: readonly string[];
  /** The port of the VXLAN inside WireGuard; null if nothing is inside. */
  readonly inside: number | null;
}

/** All traffic that the network of a bridge needs. `address` is the bridge's, with the prefix length of `network`. */
export function neededTraffic(bridge: string, address: string, network: string, tunnel: Tunnel): NeededTraffic[] {
  const { protocols, port, peers, inside } = tunnel;
  const device = bridge + WIREGUARD_SUFFIX;
  return [
    ...protocols.flatMap((protocol) => peers.filter(isIPv4).map((peer) => fromPeer(peer, protocol, port))),
    ...(inside === null
      ? []
      : [
          {
            ...fromPeer(LINK_LOCAL, "udp", inside),
            id: `udp/${inside}/${device}`,
            family: "ipv6",
            in: device,
          } as const,
        ]),
    {
      id: `host/${address}`,
      description: `traffic of containers to ${addressOf(address)}`,
      hook: "input",
      family: "ipv4",
      in: bridge,
      source: network,
      destination: addressOf(address),
    },
    {
      id: FORWARDED_FRAMES,
      description: `frames between the ports of ${bridge}`,
      hook: "forward",
      family: "ipv4",
      in: bridge,
      out: bridge,
    },
  ];
}

/** The Weave router's port, for TCP and UDP. */
export const WEAVE_PORT = 6783;

/** The id of the frames between the bridge's ports. */
export const FORWARDED_FRAMES = "frames";

/** The network of all addresses inside WireGuard. */
const LINK_LOCAL = "fe80::/64";

/** Traffic from a peer to a UDP or TCP port of this host. */
export function fromPeer(source: string, protocol: string, port: number): NeededTraffic {
  return {
    id: `${protocol}/${port}/${source}`,
    description: `${protocol.toUpperCase()} port ${port} from ${source}`,
    hook: "input",
    family: "ipv4",
    source,
    protocol,
    port,
  };
}
