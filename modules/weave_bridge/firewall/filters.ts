import type { PacketFilter } from "../../formats/filter_rules";
import { wordsOfRule } from "../../formats/iptables_save";
import { parseNftables } from "../../formats/nftables";
import { type Fate, fateInChain, type Packet } from "../../net/packet_filter";
import { type Opening, ownComment, ownRules, type Place, wordsOf } from "./opening";

/** How this host is connected to the other hosts: where packets arrive, unless an opening says so. */
export interface OwnEnd {
  readonly device: string;
  readonly address: string;
}

function packetOf(opening: Opening, { device, address }: OwnEnd): Packet {
  const { family, hook, protocol = "tcp", port = 0, source = "0.0.0.0" } = opening;
  const destination = opening.destination ?? (hook === "input" ? address : source);
  return {
    ...{ family, source, destination, protocol, port: String(port), state: "new" },
    ...{ in: opening.in ?? device, out: opening.out ?? "", type: hook === "input" ? "local" : "unicast" },
  };
}

/** The fate of an opening's packets in the base chains of one of the hooks. */
export function fateOf(filter: PacketFilter, opening: Opening, end: OwnEnd): Fate {
  const base = filter.base.filter(({ hook }) => hook === opening.hook);
  const fates = base.map((chain) => fateInChain(chain, filter, packetOf(opening, end)));
  return fates.find((fate) => fate === "drop") ?? fates.find((fate) => fate === "unknown") ?? "accept";
}

/** What iptables and ip6tables have in the table filter. */
export interface Tables {
  readonly ipv4: PacketFilter;
  readonly ipv6: PacketFilter;
}

/** iptables on a host where no other program keeps its rules. The frames between the bridge's ports have a rule of their own. */
export function iptablesPlace(
  bridge: string,
  tables: Tables,
  openings: readonly Opening[],
  fate: Place["fate"],
): Place {
  const rules = (["ipv4", "ipv6"] as const).flatMap((family) =>
    [...tables[family].chains.values()].flat().map(({ comment, reference }) => ({
      ...{ comment, remove: [PROGRAMS[family], "-w", "-D", ...wordsOfRule(reference).slice(1)] },
    })),
  );
  const argv = (verb: string, opening: Opening): string[] => [
    ...[PROGRAMS[opening.family], "-w", verb, ...iptablesRule(ownComment(bridge), opening)],
  ];
  return {
    name: "iptables",
    openings: openings.filter(({ hook }) => hook === "input"),
    fate,
    own: ownRules(bridge, rules),
    add: (all) => all.map((opening) => argv("-I", opening)),
    boot: (opening) => `${argv("-C", opening).join(" ")} 2>/dev/null || ${argv("-I", opening).join(" ")} || true`,
  };
}

const PROGRAMS = { ipv4: "iptables", ipv6: "ip6tables" } as const;

function iptablesRule(comment: string, opening: Opening): string[] {
  const { id, source, destination, protocol, port } = opening;
  return [
    "INPUT",
    ...wordsOf(
      ["-s", source],
      ["-d", destination],
      ["-i", opening.in],
      ["-p", protocol],
      [`-m ${protocol} --dport`, port],
    ),
    ...wordsOf(["-m comment --comment", comment + id], ["-j", "ACCEPT"]),
  ];
}

/** The base chains of nftables' own tables. A packet has to pass each of them. `text` is what `nft -j list ruleset` prints. */
export function nftPlaces(
  bridge: string,
  text: string,
  iptables: boolean,
  openings: readonly Opening[],
  end: OwnEnd,
): Place[] {
  const filter = parseNftables(text, iptables);
  return filter.base.map((base): Place => {
    const rules = filter.chains.get(base.chain) ?? [];
    const chain = base.chain.split(" ");
    const [family = ""] = chain;
    const argv = (opening: Opening): string[] => [
      ...["nft", "insert", "rule", ...chain, ...nftRule(ownComment(bridge), opening)],
    ];
    return {
      name: `nftables' chain ${base.chain}`,
      openings: openings.filter((each) => each.hook === base.hook && FAMILIES[family]?.includes(each.family)),
      fate: (opening) => fateInChain(base, filter, packetOf(opening, end)),
      own: ownRules(
        bridge,
        rules.map(({ comment, reference }) => ({
          ...{ comment, remove: ["nft", "delete", "rule", ...chain, "handle", reference] },
        })),
      ),
      add: (all) => all.map(argv),
      boot: (opening) => {
        const list = `nft list chain ${base.chain} 2>/dev/null`;
        return `${list} | grep -qw ${ownComment(bridge)}${opening.id} || ${argv(opening).join(" ")} || true`;
      },
    };
  });
}

const FAMILIES: Readonly<Record<string, readonly string[]>> = { ip: ["ipv4"], ip6: ["ipv6"], inet: ["ipv4", "ipv6"] };

/** The comment is a word without quotes, which the shell would need to keep. */
function nftRule(comment: string, { id, family, source, destination, protocol, port, ...devices }: Opening): string[] {
  const ip = family === "ipv6" ? "ip6" : "ip";
  return [
    ...wordsOf(
      ["iifname", devices.in],
      ["oifname", devices.out],
      [`${ip} saddr`, source],
      [`${ip} daddr`, destination],
    ),
    ...wordsOf([`${protocol} dport`, port], ["accept comment", comment + id]),
  ];
}
