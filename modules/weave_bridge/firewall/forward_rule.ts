import { type Change, difference } from "../../core/change";
import type { Host } from "../../core/host/host";
import { countRules, forwardRule } from "../../net/forward_rule";
import { type Firewall, FORWARDED_FRAMES } from "./needed_traffic";

/** The rule that accepts the bridge's frames, as iptables lists it, and the commands for it, as ForwardRule describes them. */
export const {
  rule: forwardRuleOf,
  insertRule,
  deleteRule,
  deleteRules,
  insertRuleInShell,
} = forwardRule("weave_bridge");

/** The rule in iptables. If another rule before it drops the frames, it is put before all others again. */
export function forwardRuleFirewall(bridge: string, table: string, outcome: Firewall["outcome"]): Firewall {
  const hasRule = countRules(forwardRuleOf(bridge), true, table) > 0;
  return {
    name: "iptables' chain FORWARD",
    own: [],
    outcome: (needed) => (hasRule && needed.id === FORWARDED_FRAMES ? outcome(needed) : "accept"),
    add: (all) => all.flatMap(() => [deleteRule(bridge), insertRule(bridge)]),
  };
}

/** The rule without its chain, as firewalld's file has it after the chain and the priority. */
const wordsAfterChain = (bridge: string): string => forwardRuleOf(bridge).replace("FORWARD ", "");

/** As arguments of `firewall-cmd --direct`, which passes them to iptables. The priority 0, the order among such rules, does not matter. */
const directRule = (bridge: string): string => `ipv4 filter FORWARD 0 ${wordsAfterChain(bridge)}`;

/**
 * Whether firewalld's permanent configuration has the rule. When firewalld starts or reloads, it removes all rules of iptables but its own,
 * also after it has notified systemd that it runs (firewall/core/fw.py), so nothing else can add it at boot.
 */
export function firewalldHasForwardRule(bridge: string, host: Host): boolean {
  return host.readFile("/etc/firewalld/direct.xml")?.content.includes(`>${wordsAfterChain(bridge)}</rule>`) ?? false;
}

/** Adds the rule to firewalld's permanent configuration or removes it there. `present` is null unless firewalld runs. */
export function planFirewalldForwardRule(
  bridge: string,
  present: boolean | null,
  desired: "kept" | "removed",
): Change[] {
  if (present === null) return [];
  const describe = (kept: boolean): string => `${kept ? "" : "not "}kept by firewalld`;
  const isKept = desired === "kept";
  const verb = isKept ? "--add-rule" : "--remove-rule";
  return difference(`bridge ${bridge}: rule for frames between its ports`, describe(present), describe(isKept), [
    `firewall-cmd -q --permanent --direct ${verb} ${directRule(bridge)}`.split(" "),
  ]);
}
