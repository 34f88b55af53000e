import type { FilterRule, PacketFilter } from "../../formats/filter_rules";
import { isMatched, type Packet } from "../../net/packet_filter";
import { type LocalEndpoint, packetOf } from "./filters";
import { DROPPED_BEFORE, type Firewall, FORWARDED_FRAMES, type NeededTraffic } from "./needed_traffic";

/** What firewalld reads when it starts. */
export interface ObservedFirewalld {
  /** The content of the zones' files that differ from the packaged ones, by the zones' names. */
  readonly zones: ReadonlyMap<string, string>;
  /** The zone of the devices that no zone names. */
  readonly defaultZone: string;
}

/** The table of nftables in which firewalld has its chains. */
export const FIREWALLD_TABLE = "inet firewalld ";

/** What this module's rules in firewalld depend on. */
interface FirewalldInputs {
  readonly bridge: string;
  readonly firewalld: ObservedFirewalld;
  readonly traffic: readonly NeededTraffic[];
  readonly endpoint: LocalEndpoint;
  /** The chains that firewalld has in the kernel; null without nft. */
  readonly chains: PacketFilter["chains"] | null;
  /** What becomes of traffic in those chains and in iptables. */
  readonly outcome: Firewall["outcome"];
  /** Whether containers are on the bridge. */
  readonly isInUse: boolean;
}

/**
 * firewalld. The rules for other hosts' traffic are rich rules in the zone of their packets, for now and for its next start. Rich
 * rules have no comments, so this module's are identified by their priority.
 */
export function firewalldFirewall(inputs: FirewalldInputs): Firewall {
  const { bridge, firewalld, traffic, endpoint, chains, outcome, isInUse } = inputs;
  const { zones, defaultZone } = firewalld;
  const start = `rule priority="${priorityOf(bridge)}" `;
  const ruleFor = ({ family, source, port, protocol }: NeededTraffic): string =>
    start + richRule(family, source, port, protocol);
  const zoneFor = (needed: NeededTraffic): string => zoneOf(packetOf(needed, endpoint), chains) ?? defaultZone;
  /** Whether a rule of the zone accepts it. Something before that may drop it: rules with a lower priority, policies, iptables. */
  const isLive = (needed: NeededTraffic): boolean =>
    chains === null ||
    rulesFor(packetOf(needed, endpoint), chains, `IN_${zoneFor(needed)}_pre`).some(
      ({ verdict }) => verdict === "accept",
    );
  const dockerZone = zones.get(DOCKER_ZONE);
  const zoneHasBridge = dockerZone?.includes(`<interface name="${bridge}"/>`) ?? false;
  const bridgeEntry: ZoneEntry = { zone: DOCKER_ZONE, setting: `interface=${bridge}` };
  const own = [...zones].flatMap(([zone, xml]) =>
    rulesOf(xml).flatMap(({ id, rule }) => {
      const needed = traffic.find((each) => ruleFor(each) === rule);
      // A rule that is permanent but not active is added again.
      if (!rule.startsWith(start) || (needed && outcome(needed) === "drop" && !isLive(needed))) return [];
      return [{ id: needed?.id ?? id, remove: byZone([{ zone, setting: `rich-rule=${rule}` }], REMOVE) }];
    }),
  );
  // Only permanently: Docker removes the running entry, and removing it twice fails.
  if (zoneHasBridge) own.push({ id: FORWARDED_FRAMES, remove: byZone([bridgeEntry], REMOVE).slice(1) });
  return {
    name: "firewalld",
    own,
    outcome: (needed) => {
      if (needed.in !== bridge) return outcome(needed);
      const found = isInUse ? outcome(needed) : "accept";
      const isMissing = needed.id === FORWARDED_FRAMES && dockerZone !== undefined && !zoneHasBridge;
      return found === "accept" && isMissing ? "unknown" : found;
    },
    obstacle: (needed) => {
      if (needed.in === bridge) return dockerZone === undefined || zoneHasBridge ? RESTART_DOCKER : null;
      return isLive(needed) ? DROPPED_BEFORE : null;
    },
    add: (all) =>
      byZone(
        all.map((needed) =>
          needed.in === bridge ? bridgeEntry : { zone: zoneFor(needed), setting: `rich-rule=${ruleFor(needed)}` },
        ),
        ADD,
      ),
    warnings: chains === null ? [NO_NFT] : [],
  };
}

/**
 * Docker creates a zone that accepts all when it starts under firewalld, adds the bridge that it uses, also whenever firewalld reloads,
 * and does not start if another zone has that (moby's libnetwork, firewalld.go). At boot Docker may ask before firewalld answers
 * (seen with 2.5.2, not with 2.3.1), so a managed bridge is kept in that zone.
 */
const DOCKER_ZONE = "docker";
const RESTART_DOCKER = "Restart Docker, which adds the bridge to its zone.";

const NO_NFT = "firewall: nft must be installed to read firewalld's rules. Install it (apt install nftables).";

/**
 * The zone whose chain firewalld sends this packet to: by source network first (some versions have INPUT_ZONES_SOURCE), then by
 * device. Null for the default zone. From 2.5 on one chain has both, and jumps to chains with another suffix.
 */
function zoneOf(packet: Packet, chains: PacketFilter["chains"] | null): string | null {
  const [{ verdict = null } = {}] =
    chains === null ? [] : rulesFor(packet, chains, "INPUT_dispatch", "INPUT_ZONES_SOURCE", "INPUT_ZONES");
  return typeof verdict === "object" && verdict !== null ? verdict.chain.replace(/.*_IN_|_to_HOST$/g, "") : null;
}

/** The rules of some of firewalld's chains that match the packet, without those that match every packet. */
const rulesFor = (packet: Packet, chains: PacketFilter["chains"], ...names: readonly string[]): FilterRule[] =>
  names
    .flatMap((name) => chains.get(`${FIREWALLD_TABLE}filter_${name}`) ?? [])
    .filter(({ matches }) => matches.length > 0 && matches.every((match) => isMatched(match, packet)));

/**
 * The rich rules in the file of a zone (firewalld.zone(5)), each with the id that fromPeer() gives its traffic:
 * `<rule priority="-1000" family="ipv4"><source address="192.168.50.12"/><port port="4789" protocol="udp"/><accept/></rule>`.
 */
function rulesOf(xml: string): { readonly id: string; readonly rule: string }[] {
  return [...xml.matchAll(/<rule[\s\S]*?<\/rule>/g)].map(([rule]) => {
    const value = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(rule)?.[1] ?? "";
    const [address, port, protocol] = [value("address"), value("port"), value("protocol")];
    const rich = richRule(value("family"), address, port, protocol);
    return { id: `${protocol}/${port}/${address}`, rule: `rule priority="${value("priority")}" ${rich}` };
  });
}

const ADD = "--add-";
const REMOVE = "--remove-";

/** A setting of a zone, as firewall-cmd takes it after --add- and --remove-. */
interface ZoneEntry {
  readonly zone: string;
  /** `rich-rule=RULE` or `interface=DEVICE`. */
  readonly setting: string;
}

/** The commands for settings of zones, those of one zone together: for firewalld's next start, and for now. */
function byZone(entries: readonly ZoneEntry[], verb: string): (readonly string[])[] {
  return [...new Set(entries.map(({ zone }) => zone))].flatMap((zone) => {
    const settings = new Set(entries.flatMap((entry) => (entry.zone === zone ? entry.setting : [])));
    const words = [`--zone=${zone}`, ...[...settings].map((setting) => verb + setting)];
    // A run that is killed in between is completed by the next one, which finds the packets dropped, or the zone's file as it was.
    const states = verb === ADD ? [["--permanent"], []] : [[], ["--permanent"]];
    return states.map((state) => ["firewall-cmd", "-q", ...state, ...words]);
  });
}

/**
 * A different one for each bridge, in firewalld's range of -32768 to 32767: below -1000, so before all rules that have no priority or a
 * positive one.
 */
function priorityOf(bridge: string): number {
  return -1000 - Buffer.from(bridge).reduce((sum, byte) => (sum * 31 + byte) % 30000, 0);
}

/** After its priority, as `firewall-cmd --list-rich-rules` prints it. */
const richRule = (family = "", source = "", port: string | number = "", protocol = ""): string =>
  `family="${family}" source address="${source}" port port="${port}" protocol="${protocol}" accept`;
