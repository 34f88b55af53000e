import { type IptablesTable, wordsOfRule } from "../formats/iptables_save";

/** The rules of iptables that the Weave router has left in the tables of one of iptables' two programs. */
export interface RouterRules {
  /** iptables-legacy, iptables-nft, or iptables where there is no other. */
  readonly program: string;
  readonly tables: readonly IptablesTable[];
}

/** Its chains in all tables (weaveworks/weave 2.8.1: net/bridge.go, net/iptables.go, net/ipsec/ipsec.go, common/chains). */
const CHAIN = /^WEAVE(?:-(?:CANARY|EXPOSE|NPC(?:-[A-Z]+)*|IPSEC(?:-[A-Z]+)*))?$/;

/** The router's bridge, unless WEAVE_BRIDGE says another. */
const BRIDGE = "weave";

/** Rules that only the router makes, by table and chain. */
const OWN: readonly (readonly [table: string, rule: RegExp])[] = [
  // Containers and other hosts must not reach its ports.
  ["filter", /^-A INPUT -d [\d./]+ -i \S+ -p (?:tcp|udp) -m (?:tcp|udp) --dport 678[34] -j DROP$/],
  ["filter", /^-A INPUT .*--comment "Block non-local access to Weave Net control port" -j DROP$/],
  ["filter", new RegExp(`^-A FORWARD -i \\S+ -o ${BRIDGE} -j DROP$`)],
  ["filter", new RegExp(`^-A FORWARD -o ${BRIDGE} .*-j NFLOG --nflog-group 86$`)],
  ["filter", /^-A OUTPUT ! -p esp -m policy --dir out --pol none -m mark --mark 0x20000\/0x20000 -j DROP$/],
];

/** Rules of the router that Docker, or an operator, may have as well. */
const SHARED: readonly (readonly [table: string, rule: RegExp])[] = [
  ["filter", new RegExp(`^-A FORWARD -i ${BRIDGE} -o ${BRIDGE} -j ACCEPT$`)],
  ["filter", new RegExp(`^-A FORWARD -i ${BRIDGE} ! -o ${BRIDGE} -j ACCEPT$`)],
  ["filter", new RegExp(`^-A FORWARD -o ${BRIDGE} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT$`)],
  ["filter", new RegExp(`^-A FORWARD -o ${BRIDGE} -j DROP$`)],
  ["nat", new RegExp(`^-A POSTROUTING -o ${BRIDGE} -j ACCEPT$`)],
];

/** The router accepts DNS from the same interface on which it drops what goes to its own ports. */
const DROP_FROM = /^-A INPUT -d [\d./]+ -i (\S+) .*--dport 6783 -j DROP$/;
const DNS_FROM = /^-A INPUT -i (\S+) -p (?:tcp|udp) -m (?:tcp|udp) --dport 53 -j ACCEPT$/;

/** Of all tables of a program, what the router has left; null if it has left nothing. */
export function findRouterRules(program: string, tables: readonly IptablesTable[]): RouterRules | null {
  const hasChains = tables.some(({ chains }) => chains.some((chain) => CHAIN.test(chain)));
  const found = tables.map((table) => ({
    name: table.name,
    chains: table.chains.filter((chain) => CHAIN.test(chain)),
    rules: rulesOf(table, hasChains),
  }));
  const left = found.filter(({ chains, rules }) => chains.length + rules.length > 0);
  return left.length > 0 ? { program, tables: left } : null;
}

function rulesOf({ name, rules }: IptablesTable, hasChains: boolean): readonly string[] {
  const isOf = (kind: typeof OWN, rule: string): boolean =>
    kind.some(([table, pattern]) => table === name && pattern.test(rule));
  // Docker up to 27 makes the same rules for the bridge that it uses, and finds the router's instead of adding its own.
  const isDockers = rules.includes(`-A FORWARD -o ${BRIDGE} -j DOCKER`);
  const dropsFrom = new Set(rules.map((rule) => DROP_FROM.exec(rule)?.[1]));
  const seen = new Set<string>();
  return rules.filter((rule) => {
    const first = !seen.has(rule);
    seen.add(rule);
    if (isIntoOrOf(rule) || isOf(OWN, rule)) return true;
    const dnsFrom = DNS_FROM.exec(rule)?.[1];
    if (dnsFrom !== undefined) return first && dropsFrom.has(dnsFrom);
    return hasChains && isOf(SHARED, rule) && (isDockers ? !first : first);
  });
}

/** Whether a rule is in one of the router's chains, or sends packets there. */
function isIntoOrOf(rule: string): boolean {
  const words = wordsOfRule(rule);
  const target = words[words.findIndex((word) => word === "-j" || word === "-g") + 1] ?? "";
  return CHAIN.test(words[1] ?? "") || CHAIN.test(target);
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
