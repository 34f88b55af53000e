import { type Change, difference } from "../../core/change";
import type { Host } from "../../core/host/host";
import { countRules, forwardRule } from "../../net/forward_rule";
import { type Firewall, FRAMES } from "./opening";

const { rule, ...commands } = forwardRule("weave_bridge");

/** The rule that accepts the bridge's frames, as iptables lists it, and the commands for it. */
export const ruleOf = rule;
export const { insertRule, deleteRule, deleteRules, insertRuleInShell } = commands;

/** The rule in iptables, which another that stands before it may make useless; then it is put before all others again. */
export function forwardFirewall(bridge: string, table: string, outcome: Firewall["outcome"]): Firewall {
  const hasRule = countRules(rule(bridge), true, table) > 0;
  return {
    ...{ name: "iptables' chain FORWARD", own: [] },
    outcome: (opening) => (hasRule && opening.id === FRAMES ? outcome(opening) : "accept"),
    add: (all) => all.flatMap(() => [commands.deleteRule(bridge), commands.insertRule(bridge)]),
  };
}

/** As arguments of `firewall-cmd --direct`, which passes them to iptables. The order among such rules does not matter. */
const directRule = (bridge: string): string => `ipv4 filter ${rule(bridge).replace(" ", " 0 ")}`;

/**
 * Whether firewalld's own configuration has the rule. When firewalld starts or reloads, it removes all rules of iptables but its own,
 * also after it has told systemd that it runs (firewall/core/fw.py), so nothing else can add it at boot.
 */
export function hasPermanentRule(bridge: string, host: Host): boolean {
  const [, words = ""] = directRule(bridge).split(" 0 ");
  return host.readFile("/etc/firewalld/direct.xml")?.content.includes(`>${words}</rule>`) ?? false;
}

/** Adds the rule to firewalld's configuration or removes it there. `present` is null unless firewalld runs. */
export function planPermanentRule(bridge: string, present: boolean | null, desired: boolean): Change[] {
  if (present === null) return [];
  const describe = (kept: boolean): string => `${kept ? "" : "not "}kept by firewalld`;
  const verb = desired ? "--add-rule" : "--remove-rule";
  return difference(`bridge ${bridge}: rule for frames between its ports`, describe(present), describe(desired), [
    `firewall-cmd -q --permanent --direct ${verb} ${directRule(bridge)}`.split(" "),
  ]);
}
