import { type Change, difference } from "../../core/change";
import type { BaseChain } from "../../formats/filter_rules";
import { parseIptablesFilter } from "../../formats/iptables_filter";
import { parseNftables } from "../../formats/nftables";
import type { BridgeOptions } from "../options";
import { iptablesFirewall, type LocalEndpoint, nftFirewalls, outcomeOf, worstOf } from "./filters";
import { FIREWALLD_TABLE, firewalldFirewall } from "./firewalld";
import { forwardRuleFirewall } from "./forward_rule";
import { type Firewall, fromPeer, type NeededTraffic } from "./needed_traffic";
import type { ObservedFirewall } from "./observe";
import { ufwFirewall } from "./ufw";

/** What firewalls need, and what the operator must know. */
export interface FirewallPlan {
  readonly changes: readonly Change[];
  readonly warnings: readonly string[];
  /** Shell commands that add this module's rules at boot, where nothing else keeps them. */
  readonly boot: readonly string[];
}

/** The firewalls of this host, one for each set of rules that a packet must pass; empty if none was read. */
export function firewallsOf(
  bridge: string,
  observed: ObservedFirewall | null,
  traffic: readonly NeededTraffic[],
  endpoint: LocalEndpoint = { device: "", address: "0.0.0.0" },
  isInUse = false,
): Firewall[] {
  if (observed === null) return [];
  const { tables, nft, ufw, firewalld } = observed;
  const { ipv4 } = tables;
  const filters = { ipv4: parseIptablesFilter(ipv4 ?? ""), ipv6: parseIptablesFilter(tables.ipv6 ?? "") };
  const outcome: Firewall["outcome"] = (needed) => outcomeOf(filters[needed.family], needed, endpoint);
  // iptables-legacy has separate tables. What has nftables' tables calls itself xtables-save before 1.8.3, does not say which it is
  // from 1.8.3 to 1.8.7, and says nf_tables since.
  const nftables = parseNftables(nft ?? NO_RULESET, /\(nf_tables\)|xtables-save|v1\.8\.[3-7] /.test(ipv4 ?? ""));
  const isFirewallds = ({ chain }: BaseChain): boolean => firewalld !== null && chain.startsWith(FIREWALLD_TABLE);
  const chains = nftables.base.filter((each) => !isFirewallds(each));
  const firewalls = nftFirewalls(bridge, { ...nftables, base: chains }, endpoint);
  // The frames between the bridge's ports have a separate rule in iptables.
  const atInput: Firewall["outcome"] = (needed) => (needed.hook === "input" ? outcome(needed) : "accept");
  if (firewalld !== null) {
    const own = { ...nftables, base: nftables.base.filter(isFirewallds) };
    const inputs = { bridge, firewalld, traffic, endpoint, chains: nft === null ? null : own.chains, isInUse };
    const inBoth: Firewall["outcome"] = (needed) => worstOf([outcome(needed), outcomeOf(own, needed, endpoint)]);
    firewalls.push(firewalldFirewall({ ...inputs, outcome: inBoth }));
  } else if (ufw !== null) firewalls.push(ufwFirewall(bridge, ufw, filters, endpoint, atInput));
  else if (ipv4 !== null) firewalls.push(iptablesFirewall(bridge, filters, atInput));
  if (firewalld === null) firewalls.push(forwardRuleFirewall(bridge, ipv4 ?? "", outcome));
  return firewalls;
}

const NO_RULESET = '{"nftables":[]}';

/**
 * Plans the firewalls' changes. `manage` adds a rule for needed traffic that is not accepted, and removes this module's rules for
 * other traffic, except those that `keeps` names. The other modes change nothing. Warns about what stays dropped. Whether traffic
 * is accepted is computed from all rules, whoever added them.
 */
export function planTraffic(
  firewalls: readonly Firewall[],
  traffic: readonly NeededTraffic[],
  option: BridgeOptions["firewall"],
  keeps: (id: string) => boolean = () => false,
): FirewallPlan {
  const changes: Change[] = [];
  const allWarnings: string[] = [];
  const boot: string[] = [];
  const manage = option === "manage";
  for (const firewall of firewalls) {
    const { name, outcome, own, check, obstacle = () => null, warnings = [] } = firewall;
    const stale = own.filter(({ id }) => manage && !has(traffic, id) && !keeps(id));
    const notAccepted = traffic.filter((needed) => outcome(needed) !== "accept");
    const added = notAccepted.filter((needed) => manage && obstacle(needed) === null);
    const dropped = notAccepted.filter((needed) => !added.includes(needed) && outcome(needed) === "drop");
    const before = own.filter(({ id }) => !has(added, id));
    const after = [...before.filter((rule) => !stale.includes(rule)), ...added].map(({ id }) => id);
    const commands = [...commandsFor(firewall, added), ...stale.flatMap(({ remove }) => remove)];
    changes.push(...difference(`firewall: ${name}`, listed(before.map(({ id }) => id)), listed(after), commands));
    for (const hint of new Set(dropped.map(obstacle))) {
      const all = dropped.filter((needed) => obstacle(needed) === hint);
      allWarnings.push(describeDropped(firewall, all, hint));
    }
    allWarnings.push(...warnings);
    for (const needed of traffic) {
      if (!check || !after.includes(needed.id)) continue;
      const add = firewall.add([needed]).map((argv) => argv.join(" "));
      boot.push([check(needed), ...add, "true"].join(" || "));
    }
  }
  return { changes, warnings: allWarnings, boot };
}

const has = (all: readonly { readonly id: string }[], id: string): boolean => all.some((each) => each.id === id);

/** The commands that add rules for this traffic, in place of own rules that have others before them. */
const commandsFor = ({ own, add }: Firewall, traffic: readonly NeededTraffic[]): (readonly string[])[] => [
  ...own.flatMap(({ id, remove }) => (has(traffic, id) ? remove : [])),
  ...add(traffic),
];

const listed = (ids: readonly string[]): string => [...new Set(ids)].sort().join("\n") || "none";

function describeDropped(firewall: Firewall, dropped: readonly NeededTraffic[], hint: string | null): string {
  const commands = commandsFor(firewall, dropped).map((argv) => argv.map(quoted).join(" "));
  return (
    `firewall: ${firewall.name} must accept the network's traffic (found that it drops ` +
    `${dropped.map(({ description }) => description).join(", ")}). ${hint ?? `Set I(firewall): manage, or run: ${commands.join("; ")}.`}`
  );
}

const quoted = (word: string): string => (word.includes(" ") ? `'${word}'` : word);

/** The warning about a VXLAN that all of the Internet can send frames into; none if its port is closed, or the address is a private one. */
export function exposureOf(firewalls: readonly Firewall[], address: string, port: number): string[] {
  const anyone = fromPeer(PUBLIC, "udp", port);
  const isClosed = firewalls.some(({ outcome }) => outcome(anyone) !== "accept");
  if (PRIVATE.test(address) || isClosed) return [];
  return [
    `firewall: UDP port ${port} must be closed to all but the peers (found it open at the public address ${address}). ` +
      "Close it, or set I(password).",
  ];
}

/** Stands for any host on the Internet; nothing is sent to it. */
const PUBLIC = "1.1.1.1";

/** Networks that can't be reached from the Internet (RFC 1918, RFC 3927, RFC 6598). */
const PRIVATE = /^(10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;
