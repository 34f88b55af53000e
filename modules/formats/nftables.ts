import { type BaseChain, type FilterRule, type Match, type PacketFilter, VERDICTS, type Verdict } from "./filter_rules";

/** What `nft -j list ruleset` prints (libnftables-json(5)), as far as it is used. */
interface Ruleset {
  readonly nftables: readonly { readonly chain?: JsonChain; readonly rule?: JsonRule }[];
}
interface JsonChain extends Place {
  readonly name: string;
  readonly type?: string;
  readonly hook?: string;
  readonly policy?: string;
}
interface JsonRule extends Place {
  readonly chain: string;
  readonly handle: number;
  readonly comment?: string;
  readonly expr?: readonly Json[];
}
interface Place {
  readonly family: string;
  readonly table: string;
}
type Json = Readonly<Record<string, unknown>>;

/** Parses the output of `nft -j list ruleset`. With `iptables`, its tables are left out: they are read by iptables-save. */
export function parseNftables(text: string, iptables: boolean): PacketFilter {
  const { nftables } = JSON.parse(text) as Ruleset;
  const chains = new Map<string, FilterRule[]>();
  const base: BaseChain[] = [];
  for (const { chain, rule } of nftables) {
    if (chain !== undefined) {
      const key = keyOf(chain, chain.name);
      chains.set(key, []);
      const { type, hook, policy } = chain;
      const isIptables =
        iptables &&
        ["ip", "ip6"].includes(chain.family) &&
        chain.table === "filter" &&
        chain.name === hook?.toUpperCase();
      if (type === "filter" && (hook === "input" || hook === "forward") && !isIptables)
        base.push({ chain: key, hook, policy: policy === "drop" ? "drop" : "accept" });
    }
    if (rule !== undefined) chains.get(keyOf(rule, rule.chain))?.push(parseRule(rule));
  }
  return { chains, base };
}

const keyOf = ({ family, table }: Place, chain: string): string => `${family} ${table} ${chain}`;

function parseRule({ expr = [], comment = "", handle, ...place }: JsonRule): FilterRule {
  const matches: Match[] = [];
  let opaque = false;
  const rule = (verdict: Verdict | null): FilterRule => ({
    matches,
    opaque,
    verdict,
    comment,
    reference: String(handle),
  });
  for (const statement of expr) {
    const [[name = "", body] = []] = Object.entries(statement);
    if (PASSED.includes(name)) continue;
    opaque ||= name === "queue";
    const verdict = verdictOf(name, body, place);
    if (verdict !== null) return rule(verdict);
    const { op, left, right, key, data } = (body ?? {}) as Record<string, unknown>;
    if (name === "match") {
      const { needs, isAll } = matchesOf(left, op === "!=", ["==", "!=", "in"].includes(String(op)) ? right : null);
      matches.push(...needs);
      opaque ||= !isAll;
    } else opaque = true;
    if (name === "vmap" && canDecideOnNewConnections(key, data)) return rule("return");
  }
  return rule(null);
}

/**
 * Whether a map of verdicts may decide on a connection's first packet. A map on ct state without `new` does not; one by name, "@NAME",
 * may have any element.
 */
function canDecideOnNewConnections(key: unknown, data: unknown): boolean {
  const isOnState = Object(key).ct !== undefined;
  return !isOnState || /"new"|^"@/.test(JSON.stringify(data));
}

/** Statements that decide nothing. */
const PASSED = ["counter", "log", "mangle"];

function verdictOf(name: string, body: unknown, place: Place): Verdict | null {
  if (name !== "jump" && name !== "goto") return VERDICTS[name.toUpperCase()] ?? null;
  return { chain: keyOf(place, String((body as Json)["target"])), goto: name === "goto" };
}

/** By the last word of what is matched, such as `ip saddr`. */
const FIELDS: Readonly<Record<string, Match["field"]>> = {
  iifname: "in",
  iif: "in",
  oifname: "out",
  oif: "out",
  saddr: "source",
  daddr: "destination",
  l4proto: "protocol",
  nfproto: "family",
  dport: "port",
  state: "state",
  status: "status",
};

/**
 * What a match needs of a packet, and whether that is all. Of a header's field that is not known, such as `icmpv6 type`, at least the
 * packet must have that header.
 */
function matchesOf(left: unknown, negated: boolean, right: unknown): { needs: readonly Match[]; isAll: boolean } {
  const { meta, payload, ct } = (left ?? {}) as Readonly<Record<string, Json | undefined>>;
  const header = String(payload?.["protocol"] ?? "th");
  const field = header === "ether" ? undefined : FIELDS[String(payload?.["field"] ?? (meta ?? ct)?.["key"])];
  const values = valuesOf(right);
  const family = FAMILY_OF[header];
  const implied = family ? only("family", family) : only("protocol", header);
  const needs = header === "th" || header === "ether" ? [] : [implied];
  if (field === undefined || values === null) return { needs, isAll: false };
  return { needs: [...needs, { field, values, negated }], isAll: true };
}

const only = (field: Match["field"], value: string): Match => ({ field, values: [value], negated: false });

const FAMILY_OF: Readonly<Record<string, string>> = { ip: "ipv4", ip6: "ipv6" };

function valuesOf(right: unknown): string[] | null {
  if (typeof right === "number") return [String(right)];
  if (typeof right === "string") return right.startsWith("@") ? null : [right];
  const { set, prefix, range } = (Array.isArray(right) ? { set: right } : (right ?? {})) as {
    set?: readonly unknown[];
    prefix?: Json;
    range?: readonly unknown[];
  };
  if (prefix) return [`${prefix["addr"]}/${prefix["len"]}`];
  if (range) return range.every(Number.isInteger) ? [range.join("-")] : null;
  const all = set?.map(valuesOf);
  return all === undefined || all.includes(null) ? null : all.flatMap((values) => values ?? []);
}
