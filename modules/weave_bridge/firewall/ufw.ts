import type { PacketFilter } from "../../formats/filter_rules";
import { outcomeInChain } from "../../net/packet_filter";
import { type LocalEndpoint, packetOf, type Tables } from "./filters";
import {
  DROPPED_BEFORE,
  type Firewall,
  type NeededTraffic,
  ownComment,
  ownRules,
  wordsOfPairs,
} from "./needed_traffic";

/** Where ufw keeps its rules, each below a line with its parts (ufw, backend_iptables.py). */
export const UFW_RULES = ["/etc/ufw/user.rules", "/etc/ufw/user6.rules"];

/** Whether ufw is turned on, by the content of /etc/ufw/ufw.conf. */
export function isUfwOn(settings: string): boolean {
  return /^\s*ENABLED=["']?yes/im.test(settings);
}

/** Rules that accept packets: `### tuple ### allow udp 4789 0.0.0.0/0 any 192.168.50.12 in comment=HEX`. */
function parseUfwRules(text: string): (Parts & { comment: string })[] {
  return [...text.matchAll(/^### tuple ### allow (\S+) (\S+) (\S+) \S+ (\S+) in(?:_(\S+))? comment=([0-9a-f]+)/gm)].map(
    ([, protocol = "", port = "", destination = "", source = "", device, hex = ""]) => ({
      protocol,
      port,
      destination,
      source,
      in: device,
      comment: Buffer.from(hex, "hex").toString(),
    }),
  );
}

/** ufw. Its rules are added by `ufw`, which keeps them for the next boot; the verdict comes from iptables. */
export function ufwFirewall(
  bridge: string,
  text: string,
  tables: Tables,
  endpoint: LocalEndpoint,
  outcome: Firewall["outcome"],
): Firewall {
  return {
    name: "ufw",
    outcome,
    obstacle: (needed) => obstacleTo(needed, tables[needed.family], endpoint),
    own: ownRules(bridge, parseUfwRules(text), (rule) => ["ufw", "delete", "allow", ...ufwRule(rule)]),
    add: (all) =>
      all.map((needed) => ["ufw", "prepend", "allow", ...ufwRule(needed), "comment", ownComment(bridge) + needed.id]),
  };
}

/** ufw adds rules to its own chain. With IPV6=no it has none for IPv6, and drops all IPv6 packets, also those that this host sends. */
function obstacleTo(needed: NeededTraffic, filter: PacketFilter, endpoint: LocalEndpoint): string | null {
  const [ufw, first] =
    needed.family === "ipv6" ? ["ufw6", "Set IPV6=yes in /etc/default/ufw, and run"] : ["ufw", "Run"];
  if (!filter.chains.has(`${ufw}-before-input`)) return `${first}: ufw reload.`;
  const base = { chain: `${ufw}-user-input`, hook: "input", policy: "drop" } as const;
  return outcomeInChain(base, filter, packetOf(needed, endpoint)) === "accept" ? DROPPED_BEFORE : null;
}

/** What ufw matches of a packet. */
interface Parts {
  readonly in?: string | undefined;
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: string;
  readonly port?: string | number;
}

function ufwRule(parts: Parts): string[] {
  const { source, destination = "any", protocol = "any", port } = parts;
  const end = wordsOfPairs(["in on", parts.in], ["from", source], ["to", destination.replace(ANY, "any")]);
  return protocol === "any" ? end : [...end, ...wordsOfPairs(["port", port], ["proto", protocol])];
}

/** As ufw writes a destination that the rule does not name. */
const ANY = /^(0\.0\.0\.0|::)\/0$/;
