import { type Change, difference } from "../../core/change";
import type { BaseChain } from "../../formats/filter_rules";
import { parseIptablesFilter } from "../../formats/iptables_filter";
import { parseNftables } from "../../formats/nftables";
import { iptablesFirewall, nftFirewalls, type OwnEnd, outcomeOf, worstOf } from "./filters";
import { FIREWALLD_TABLE, firewalldFirewall } from "./firewalld";
import type { ObservedFirewall } from "./observe";
import { type Firewall, fromPeer, type Opening } from "./opening";
import { ufwFirewall } from "./ufw";

export interface FirewallPlan {
  readonly changes: Change[];
  readonly warnings: string[];
  /** Shell commands that add this module's rules at boot, where nothing else keeps them. */
  readonly boot: string[];
}

/** What packets have to pass on this host, by the program that owns the rules there; nothing if it is not observed. */
export function firewallsOf(
  bridge: string,
  observed: ObservedFirewall | null,
  openings: readonly Opening[],
  end: OwnEnd = { device: "", address: "0.0.0.0" },
  bridgeExists = false,
): Firewall[] {
  if (observed === null) return [];
  const { tables, nft, ufw, firewalld } = observed;
  const { ipv4 } = tables;
  const filters = { ipv4: parseIptablesFilter(ipv4 ?? ""), ipv6: parseIptablesFilter(tables.ipv6 ?? "") };
  const outcome: Firewall["outcome"] = (opening) => outcomeOf(filters[opening.family], opening, end);
  // iptables-legacy has tables of its own. Before 1.8.3, what has nftables' tables called itself xtables-save.
  const nftables = parseNftables(nft ?? NO_RULESET, /\(nf_tables\)|xtables-save|v1\.8\.[3-7] /.test(ipv4 ?? ""));
  const isFirewallds = ({ chain }: BaseChain): boolean => firewalld !== null && chain.startsWith(FIREWALLD_TABLE);
  const chains = nftables.base.filter((each) => !isFirewallds(each));
  const others = nftFirewalls(bridge, { ...nftables, base: chains }, end);
  // The frames between the bridge's ports have a rule of their own in iptables.
  const atInput: Firewall["outcome"] = (opening) => (opening.hook === "input" ? outcome(opening) : "accept");
  if (firewalld !== null) {
    const own = { ...nftables, base: nftables.base.filter(isFirewallds) };
    const inBoth: Firewall["outcome"] = (opening) => worstOf([outcome(opening), outcomeOf(own, opening, end)]);
    const ownChains = nft === null ? null : own.chains;
    others.push(firewalldFirewall(bridge, firewalld, openings, end, ownChains, inBoth, bridgeExists));
  } else if (ufw !== null) others.push(ufwFirewall(bridge, ufw, atInput));
  else if (ipv4 !== null) others.push(iptablesFirewall(bridge, filters, atInput));
  return others;
}

const NO_RULESET = '{"nftables":[]}';

/**
 * Plans what firewalls have to let pass. With `manage` what is closed is opened, and what this module has opened before and is not needed
 * any more is closed; otherwise all stays as it is, and a warning names what is closed. Who has opened what is open does not matter.
 */
export function planFirewall(
  firewalls: readonly Firewall[],
  openings: readonly Opening[],
  manage: boolean,
): FirewallPlan {
  const plan: FirewallPlan = { changes: [], warnings: [], boot: [] };
  for (const firewall of firewalls) {
    const { name, outcome, own, check, warnings = [] } = firewall;
    const stale = own.filter(({ id }) => manage && !openings.some((opening) => opening.id === id));
    const closed = openings.filter(
      (opening) => !own.some(({ id }) => id === opening.id) && outcome(opening) !== "accept",
    );
    const added = manage ? closed : [];
    const missing = closed.filter((opening) => !manage && outcome(opening) === "drop");
    const after = [...own.filter((rule) => !stale.includes(rule)), ...added].map(({ id }) => id);
    const commands = [...firewall.add(added), ...stale.flatMap(({ remove }) => remove)];
    plan.changes.push(...difference(`firewall: ${name}`, listed(own.map(({ id }) => id)), listed(after), commands));
    plan.warnings.push(...(missing.length > 0 ? [describeMissing(firewall, missing)] : []), ...warnings);
    for (const opening of openings) {
      if (!check || !after.includes(opening.id)) continue;
      const add = firewall.add([opening]).map((argv) => argv.join(" "));
      plan.boot.push([check(opening), ...add, "true"].join(" || "));
    }
  }
  return plan;
}

const listed = (ids: readonly string[]): string => [...new Set(ids)].sort().join("\n") || "none";

function describeMissing(firewall: Firewall, missing: readonly Opening[]): string {
  const commands = firewall.add(missing).map((argv) => argv.map(quoted).join(" "));
  return (
    `firewall: ${firewall.name} must let pass what the network needs (found that it drops ` +
    `${missing.map(({ description }) => description).join(", ")}). Set I(firewall): manage, or run: ${commands.join("; ")}.`
  );
}

const quoted = (word: string): string => (word.includes(" ") ? `'${word}'` : word);

/** The warning about a VXLAN that all of the Internet can send frames into; none if its port is closed, or the address is a private one. */
export function exposureOf(firewalls: readonly Firewall[], address: string, port: number): string[] {
  const anyone = fromPeer(PUBLIC, "udp", port);
  const isClosed = firewalls.some(({ outcome }) => outcome(anyone) !== "accept");
  if (PRIVATE.test(address) || isClosed) return [];
  return [
    `firewall: UDP port ${port} must be closed to all but the peers (found ${address}, a public address, without a firewall that closes it). ` +
      "Close it, or set I(password).",
  ];
}

/** An address that has no special purpose. Nothing is sent to it. */
const PUBLIC = "1.1.1.1";

/** Networks that nobody reaches from the Internet (RFC 1918, RFC 3927, RFC 6598). */
const PRIVATE = /^(10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;
