import { forwardRule } from "../../net/forward_rule";

/** The commands for the rule that accepts the bridge's frames. Of any other rule, this module knows nothing. */
const { checkRule, ...commands } = forwardRule("weave_bridge");
export const { insertRule, deleteRule, insertRuleInShell } = commands;

/**
 * How many copies of the rule iptables has, as `iptables-save -t filter` prints it: someone may have restored saved rules beside it. A
 * copy does no harm, so those of a rule that is to stay count as one.
 */
export function countForwardRules(bridge: string, stays: boolean, table: string): number {
  const rule = `-A ${checkRule(bridge).slice(3).join(" ")}`;
  const copies = table.split("\n").filter((line) => line === rule).length;
  return stays ? Math.min(copies, 1) : copies;
}
