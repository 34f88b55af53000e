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
  /** The next hop's IPv4 address; null if the network is connected, or the address is of IPv6 (RFC 5549). */
  readonly via: string | null;
  /** The address that this host sends from; null if the route doesn't set one. */
  readonly source: string | null;
  /** Of two routes to one network, the one with the lower metric applies. */
  readonly metric: number;
}

export const MAIN_TABLE = "main";

/**
 * Parses the output of `ip -d route show table all root 0.0.0.0/0` (print_route() in iproute2's ip/iproute.c). A route with several
 * next hops is parsed with the first one.
 */
export function parseRoutes(output: string): Route[] {
  return output.split(/\n(?!\s)/).flatMap((row) => {
    // Without details, a unicast route has no type.
    const [, type = "unicast", destination, rest = ""] = ROUTE.exec(row) ?? [];
    if (destination === undefined) return [];
    const value = valuesOf(rest.trim().split(/\s+/));
    const via = value("via");
    return [
      {
        type,
        network: networkOf(destination),
        device: value("dev"),
        table: value("table") ?? MAIN_TABLE,
        via: via === "inet6" ? null : via,
        source: value("src"),
        metric: Number(value("metric") ?? 0),
      },
    ];
  });
}

const ROUTE = /^(?:(\w+) )?(default|\d+(?:\.\d+){3}(?:\/\d+)?)(\s.*)?$/s;

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
  readonly hasProtocolMatch: boolean;
  /** Whether it applies only to packets with something else, such as a user or a type of service. */
  readonly hasOtherMatch: boolean;
  /** What it does: the table that it looks up, or else such as unreachable, or `goto` with the priority. */
  readonly action:
    | { readonly lookup: string; readonly suppressed: number }
    | { readonly goTo: number }
    | { readonly verdict: string };
}

const ALL_BITS = 0xffff_ffff;

/**
 * Parses the output of `ip -d rule show`, which is of IPv4 (print_rule() in iproute2's ip/iprule.c). What is not understood of a rule
 * is taken for a condition.
 */
export function parseRules(output: string): Rule[] {
  return [...output.matchAll(/^(\d+):\s+(not )?(from .*)$/gm)].map(([, priority, not, text = ""]) => {
    const value = valuesOf(text.split(/\s+/));
    const network = (key: string): string | null => {
      const found = value(key);
      return found === null || found === "all" ? null : networkOf(found);
    };
    const rest = text.replace(UNDERSTOOD, "");
    const others = rest.replace(PROTOCOLS, "");
    const [verdict = ""] = VERDICT.exec(others) ?? [];
    return {
      priority: Number(priority),
      inverted: not !== undefined,
      from: network("from"),
      to: network("to"),
      incoming: value("iif"),
      outgoing: value("oif"),
      mark: parseMark(value("fwmark")),
      hasProtocolMatch: others !== rest,
      hasOtherMatch: others.replace(verdict, "").trim() !== "",
      action: parseAction(verdict, value),
    };
  });
}

const UNDERSTOOD =
  /(?:^| )(?:from|to|fwmark|iif|oif|lookup|suppress_\w+|realms|map-to|goto|proto) \S+|\[(?:detached|unresolved)\]/g;
const PROTOCOLS = / (?:ipproto|sport|dport) \S+/g;
const VERDICT = /\b(?:nop|unreachable|blackhole|prohibit|masquerade)\b/;

function parseAction(verdict: string, value: (key: string) => string | null): Rule["action"] {
  const table = value("lookup");
  if (table !== null) return { lookup: table, suppressed: Number(value("suppress_prefixlength") ?? -1) };
  const target = value("goto");
  return target === null ? { verdict } : { goTo: Number(target) };
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
