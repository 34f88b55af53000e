import { withLength } from "./iproute";

/** An IPv4 route of the kernel, in any table. */
export interface Route {
  /** Such as unicast, local, unreachable, blackhole, prohibit or throw (ip-route(8)). */
  readonly type: string;
  /** Such as 10.0.0.0/8. */
  readonly network: string;
  /** Null for a route that leads nowhere, such as an unreachable one. */
  readonly device: string | null;
  /** The table as ip prints it, by name if it has one. */
  readonly table: string;
  /** The next hop; null if the network is connected. */
  readonly via: string | null;
  /** The address that this host sends from; null if the route doesn't set one. */
  readonly source: string | null;
  /** Of two routes to one network, the one with the lower metric counts. */
  readonly metric: number;
}

export const MAIN_TABLE = "main";

/** What ip prints first of a route; without details, a unicast route has no type. */
const TYPES = [
  "unicast",
  "local",
  "broadcast",
  "multicast",
  "anycast",
  "unreachable",
  "blackhole",
  "prohibit",
  "throw",
  "nat",
];

/** Parses the output of `ip -d route show table all root 0.0.0.0/0`. Of a route with several next hops, the first one counts. */
export function parseRoutes(output: string): Route[] {
  return output.split(/\n(?!\s)/).flatMap((row) => {
    const words = row.trim().split(/\s+/);
    const typed = TYPES.includes(words[0] ?? "");
    const [destination = "", ...attributes] = typed ? words.slice(1) : words;
    if (destination === "") return [];
    const value = valuesOf(attributes);
    return [
      {
        type: typed ? (words[0] ?? "") : "unicast",
        network: networkOf(destination),
        device: value("dev"),
        table: value("table") ?? MAIN_TABLE,
        via: value("via"),
        source: value("src"),
        metric: Number(value("metric") ?? 0),
      },
    ];
  });
}

/** ip prints 0.0.0.0/0 as "default", and a single address without its prefix length. */
function networkOf(destination: string): string {
  return destination === "default" ? "0.0.0.0/0" : withLength(destination);
}

/** A rule of the kernel's policy routing (ip-rule(8)). The kernel asks the rules in their order. */
export interface Rule {
  readonly priority: number;
  /** Whether it applies to all packets that its conditions do not fit. */
  readonly inverted: boolean;
  /** Networks; null for all. */
  readonly from: string | null;
  readonly to: string | null;
  /** The device that a packet came in by, lo for this host's own packets; null for any. */
  readonly incoming: string | null;
  /** The device that a socket is bound to; null for any. */
  readonly outgoing: string | null;
  /** Value and mask of the firewall's mark; null for any. */
  readonly mark: { readonly value: number; readonly mask: number } | null;
  /** Whether it applies to some protocols or ports only. */
  readonly protocols: boolean;
  /** Whether it applies to the packets of some users or types of service only. */
  readonly selective: boolean;
  /** What it does: the table that it looks up, or else such as unreachable, or `goto` with the priority. */
  readonly action:
    | { readonly lookup: string; readonly suppressed: number }
    | { readonly goTo: number }
    | { readonly verdict: string };
}

const ALL_BITS = 0xffff_ffff;

/** Parses the output of `ip -d rule show`, which is of IPv4. */
export function parseRules(output: string): Rule[] {
  return [...output.matchAll(/^(\d+):\s+(.*)$/gm)].map(([, priority, text = ""]) => {
    // Details name the program that has added the rule.
    const words = text
      .replace(/ proto \S+/, "")
      .trim()
      .split(/\s+/);
    const value = valuesOf(words);
    const network = (key: string): string | null => {
      const found = value(key);
      return found === null || found === "all" ? null : networkOf(found);
    };
    return {
      priority: Number(priority),
      inverted: words[0] === "not",
      from: network("from"),
      to: network("to"),
      incoming: value("iif"),
      outgoing: value("oif"),
      mark: parseMark(value("fwmark")),
      protocols: words.some((word) => ["ipproto", "sport", "dport"].includes(word)),
      selective: words.some((word) => ["uidrange", "tos", "dsfield"].includes(word)),
      action: parseAction(words, value),
    };
  });
}

function parseAction(words: readonly string[], value: (key: string) => string | null): Rule["action"] {
  const table = value("lookup");
  if (table !== null) return { lookup: table, suppressed: Number(value("suppress_prefixlength") ?? -1) };
  const target = value("goto");
  return target === null ? { verdict: words.at(-1) ?? "" } : { goTo: Number(target) };
}

function parseMark(text: string | null): Rule["mark"] {
  if (text === null) return null;
  const [value, mask] = text.split("/").map(Number);
  return { value: value ?? 0, mask: mask ?? ALL_BITS };
}

/** The word after a keyword, in ip's output. */
function valuesOf(words: readonly string[]): (key: string) => string | null {
  return (key) => {
    const at = words.indexOf(key);
    return at < 0 ? null : (words[at + 1] ?? null);
  };
}
