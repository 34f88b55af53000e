import { type IptablesTable, wordsOfRule } from "../formats/iptables_save";
import { ROUTERS_BRIDGE } from "./init/steps";

/** The rules of iptables that the Weave router has left in the tables of one of iptables' two programs. */
export interface RouterRules {
  /** iptables-legacy, iptables-nft, or iptables if neither is installed. */
  readonly program: string;
  readonly tables: readonly IptablesTable[];
}

/**
 * Its chains, by table (weaveworks/weave 2.8.1: net/bridge.go, prog/weaver/main.go, net/ipsec/ipsec.go and common/chains/npc.go; the
 * script `weave` of 1.4.6 has only the first). Others of similar names belong to something else.
 */
const CHAINS: Readonly<Record<string, RegExp>> = {
  nat: /^WEAVE(?:-CANARY)?$/,
  filter: /^WEAVE-(?:CANARY|EXPOSE|NPC(?:-(?:DEFAULT|INGRESS|EGRESS(?:-(?:DEFAULT|CUSTOM|ACCEPT))?))?|IPSEC-IN)$/,
  mangle: /^WEAVE-(?:CANARY|IPSEC-(?:IN|OUT)(?:-MARK)?)$/,
};

function isOwnChain(table: string, chain: string): boolean {
  return CHAINS[table]?.test(chain) ?? false;
}

/** Rules that only the router adds, by table and chain. */
const OWN: readonly (readonly [table: string, rule: RegExp])[] = [
  ["filter", /^-A INPUT .*--comment "Block non-local access to Weave Net control port" -j DROP$/],
  ["filter", new RegExp(`^-A FORWARD -i \\S+ -o ${ROUTERS_BRIDGE} -j DROP$`)],
  ["filter", new RegExp(`^-A FORWARD -o ${ROUTERS_BRIDGE} .*-j NFLOG --nflog-group 86$`)],
  ["filter", /^-A OUTPUT ! -p esp -m policy --dir out --pol none -m mark --mark 0x20000\/0x20000 -j DROP$/],
];

/** Rules of the router that Docker, or an operator, may have as well. */
const SHARED: readonly (readonly [table: string, rule: RegExp])[] = [
  ["filter", new RegExp(`^-A FORWARD -i ${ROUTERS_BRIDGE} -o ${ROUTERS_BRIDGE} -j ACCEPT$`)],
  ["filter", new RegExp(`^-A FORWARD -i ${ROUTERS_BRIDGE} ! -o ${ROUTERS_BRIDGE} -j ACCEPT$`)],
  ["filter", new RegExp(`^-A FORWARD -o ${ROUTERS_BRIDGE} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT$`)],
  ["filter", new RegExp(`^-A FORWARD -o ${ROUTERS_BRIDGE} -j DROP$`)],
  ["nat", new RegExp(`^-A POSTROUTING -o ${ROUTERS_BRIDGE} -j ACCEPT$`)],
  // 2.6.3 only (net/bridge.go of 2.8.1, which removes it).
  [
    "filter",
    /^-A INPUT -d 127\.0\.0\.1\/32 -p tcp -m addrtype ! --src-type LOCAL -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP$/,
  ],
];

/** The router drops what containers send to its own ports, and accepts DNS from the same interface. */
const DROP_TO_PORT = /^-A INPUT -d [\d./]+ -i (\S+) -p (?:tcp|udp) -m (?:tcp|udp) --dport (\d+) -j DROP$/;
const DNS_FROM = /^-A INPUT -i (\S+) -p (?:tcp|udp) -m (?:tcp|udp) --dport 53 -j ACCEPT$/;

/** What a router with this port has left in all tables of a program; null if it has left nothing. */
export function findRouterRules(program: string, tables: readonly IptablesTable[], port: number): RouterRules | null {
  const ownChains = ({ name, chains }: IptablesTable): string[] => chains.filter((chain) => isOwnChain(name, chain));
  const hasChains = tables.some((table) => ownChains(table).length > 0);
  const found = tables.map((table) => ({
    name: table.name,
    chains: ownChains(table),
    rules: rulesOf(table, port, hasChains),
  }));
  const left = found.filter(({ chains, rules }) => chains.length + rules.length > 0);
  return left.length > 0 ? { program, tables: left } : null;
}

function rulesOf({ name, rules }: IptablesTable, port: number, hasChains: boolean): readonly string[] {
  const isOf = (kind: typeof OWN, rule: string): boolean =>
    kind.some(([table, pattern]) => table === name && pattern.test(rule));
  // Docker up to 27 adds the same rules for the bridge that it uses, and finds the router's instead of adding its own.
  const isDockers = rules.includes(`-A FORWARD -o ${ROUTERS_BRIDGE} -j DOCKER`);
  const dropsFrom = (rule: string): string | undefined => {
    const [, from, to] = DROP_TO_PORT.exec(rule) ?? [];
    return name === "filter" && (Number(to) === port || Number(to) === port + 1) ? from : undefined;
  };
  const seen = new Set<string>();
  return rules.filter((rule) => {
    const first = !seen.has(rule);
    seen.add(rule);
    if (isInOrToChain(name, rule) || isOf(OWN, rule) || dropsFrom(rule) !== undefined) return true;
    const dnsFrom = DNS_FROM.exec(rule)?.[1];
    if (dnsFrom !== undefined) return first && rules.some((other) => dropsFrom(other) === dnsFrom);
    return hasChains && isOf(SHARED, rule) && (isDockers ? !first : first);
  });
}

/** Whether a rule is in one of the router's chains, or sends packets there. */
function isInOrToChain(table: string, rule: string): boolean {
  const words = wordsOfRule(rule);
  const target = words[words.findIndex((word) => word === "-j" || word === "-g") + 1] ?? "";
  return isOwnChain(table, words[1] ?? "") || isOwnChain(table, target);
}

/** The commands that remove the rules, and then the chains, as a chain that is used can't be deleted. */
export function removeRouterRules({ program, tables }: RouterRules): string[][] {
  const command = (table: string, ...words: string[]): string[] => [program, "-w", "-t", table, ...words];
  return tables.flatMap(({ name, chains, rules }) => [
    ...rules.map((rule) => command(name, "-D", ...wordsOfRule(rule).slice(1))),
    ...chains.map((chain) => command(name, "-X", chain)),
  ]);
}

/** The rules as a diff shows them. */
export function describeRouterRules({ tables }: RouterRules): string {
  const lines = tables.flatMap(({ name, chains, rules }) => [
    ...chains.map((chain) => `${name}: chain ${chain}`),
    ...rules.map((rule) => `${name}: ${rule}`),
  ]);
  return `${lines.join("\n")}\n`;
}
