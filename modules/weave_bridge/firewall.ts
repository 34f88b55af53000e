/**
 * The rule that accepts frames from one port of the bridge to another. With net.bridge.bridge-nf-call-iptables, which
 * container engines turn on, they pass through FORWARD, whose policy dockerd sets to DROP. Docker adds such a rule only for
 * the bridge that it uses, and only once it runs. The comment tells this rule from Docker's.
 */
const rule = (name: string) => `FORWARD -i ${name} -o ${name} -m comment --comment weave_bridge -j ACCEPT`.split(" ");

// -w waits for other programs that change the rules, such as dockerd at boot.
const iptables = (verb: string, name: string) => ["iptables", "-w", verb, ...rule(name)];

/** Exits with status 0 if the rule exists. */
export const checkRule = (name: string) => iptables("-C", name);

/** Inserts the rule before all others. */
export const insertRule = (name: string) => iptables("-I", name);

export const deleteRule = (name: string) => iptables("-D", name);

/** A shell command for boot: inserts the rule if it doesn't exist, and always succeeds, so that the bridge comes up. */
export function insertRuleInShell(name: string): string {
  return `${checkRule(name).join(" ")} 2>/dev/null || ${insertRule(name).join(" ")} || true`;
}
