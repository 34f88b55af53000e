import type { PacketFilter } from "../../formats/filter_rules";
import { isMatched, type Packet } from "../../net/packet_filter";
import { type OwnEnd, packetOf } from "./filters";
import type { Firewall, Opening } from "./opening";

/** What firewalld reads when it starts. */
export interface ObservedFirewalld {
  /** The content of the zones' files that differ from the packaged ones, by the zones' names. */
  readonly zones: ReadonlyMap<string, string>;
  /** The zone of the devices that no zone names. */
  readonly defaultZone: string;
}

/** The table of nftables in which firewalld has its chains. */
export const FIREWALLD_TABLE = "inet firewalld ";

/**
 * firewalld. The openings for other hosts are rich rules in the zone of their packets, for now and for its next start; rich rules have
 * no comments, so this module's are known by their priority. `chains` are those that firewalld has in the kernel; null without nft.
 */
export function firewalldFirewall(
  bridge: string,
  { zones, defaultZone }: ObservedFirewalld,
  openings: readonly Opening[],
  end: OwnEnd,
  chains: PacketFilter["chains"] | null,
  outcome: Firewall["outcome"],
  bridgeExists: boolean,
): Firewall {
  const start = `rule priority="${priorityOf(bridge)}" `;
  const ruleFor = ({ family, source, port, protocol }: Opening): string =>
    start + richRule(family, source, port, protocol);
  const own = [...zones].flatMap(([zone, xml]) =>
    rulesOf(xml).flatMap((rule) => {
      const found = `${zone} ${rule}`;
      const opening = openings.find((each) => ruleFor(each) === rule);
      // What is open only from the next start on is added again.
      if (!rule.startsWith(start) || (opening && outcome(opening) === "drop")) return [];
      return [{ id: opening?.id ?? found, remove: byZone([found], "--remove-rich-rule") }];
    }),
  );
  const isCut = bridgeExists && openings.some((opening) => opening.in === bridge && outcome(opening) === "drop");
  return {
    ...{ name: "firewalld", own },
    outcome: (opening) => (opening.in === bridge ? "accept" : outcome(opening)),
    add: (all) =>
      byZone(
        all.map((opening) => `${zoneOf(packetOf(opening, end), chains) ?? defaultZone} ${ruleFor(opening)}`),
        "--add-rich-rule",
      ),
    warnings: chains === null ? [NO_NFT] : isCut ? [NO_ZONE] : [],
  };
}

/**
 * Docker makes a zone that accepts all when it starts under firewalld, adds the bridge that it uses, also whenever firewalld reloads,
 * and does not start if another zone has that (moby's libnetwork, firewalld.go). So the bridge's zone is left to Docker.
 */
const NO_ZONE =
  "firewall: firewalld must let containers' traffic pass (found that it drops it). Restart Docker, which adds the bridge to its zone.";

const NO_NFT = "firewall: nft must be installed to read firewalld's rules. Install it (apt install nftables).";

/**
 * The zone of a packet by the chain that firewalld has it go to: that of its sender's network, else of the device (the former have a
 * chain of their own in some versions); null if only the default zone has it.
 */
function zoneOf(packet: Packet, chains: PacketFilter["chains"] | null): string | null {
  const { verdict } =
    ["_SOURCE", ""]
      .flatMap((kind) => chains?.get(`${FIREWALLD_TABLE}filter_INPUT_ZONES${kind}`) ?? [])
      .find(({ matches }) => matches.length > 0 && matches.every((match) => isMatched(match, packet))) ?? {};
  return typeof verdict === "object" && verdict !== null ? verdict.chain.replace(/.*_IN_/, "") : null;
}

/** The rich rules in the file of a zone (firewalld.zone(5)), with a priority first. */
function rulesOf(xml: string): string[] {
  return [...xml.matchAll(/<rule[\s\S]*?<\/rule>/g)].map(([rule]) => {
    const value = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(rule)?.[1] ?? "";
    const rich = richRule(value("family"), value("address"), value("port"), value("protocol"));
    return `rule priority="${value("priority")}" ${rich}`;
  });
}

/** The commands for entries, each the name of a zone and a rule: for firewalld's next start, and for now. */
function byZone(entries: readonly string[], option: string): (readonly string[])[] {
  const zoneIn = (entry: string): string => entry.replace(/ .*/, "");
  return [...new Set(entries.map(zoneIn))].flatMap((zone) => {
    const rules = entries.filter((entry) => zoneIn(entry) === zone).map((entry) => entry.replace(zone, option));
    const words = [`--zone=${zone}`, ...rules.map((rule) => rule.replace(" ", "="))];
    // A run that is killed in between is completed by the next one, which finds the packets dropped.
    return [["--permanent"], []].map((state) => ["firewall-cmd", "-q", ...state, ...words]);
  });
}

/** Before all that has no priority or a positive one, another for each bridge. */
function priorityOf(bridge: string): number {
  return -1000 - Buffer.from(bridge).reduce((sum, byte) => (sum * 31 + byte) % 30000, 0);
}

/** After its priority, as `firewall-cmd --list-rich-rules` prints it. */
const richRule = (family = "", source = "", port: string | number = "", protocol = ""): string =>
  `family="${family}" source address="${source}" port port="${port}" protocol="${protocol}" accept`;
