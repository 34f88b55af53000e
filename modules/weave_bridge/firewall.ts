/**
 * The rule that passes frames from one port of the bridge to another. With net.bridge.bridge-nf-call-iptables, which
 * container engines turn on, they go through FORWARD, whose policy dockerd sets to DROP. Docker has such a rule for the
 * bridge that it uses; this one is there before Docker is, and while Docker uses another. The comment tells it from Docker's.
 */
const rule = (name: string) => `FORWARD -i ${name} -o ${name} -m comment --comment weave_bridge -j ACCEPT`.split(" ");

// -w waits for who else is changing the rules: dockerd, at boot.
const iptables = (verb: string, name: string) => ["iptables", "-w", verb, ...rule(name)];

/** Ends with status 0 where the rule is there. */
export const checkRule = (name: string) => iptables("-C", name);

/** Puts the rule before all others. */
export const insertRule = (name: string) => iptables("-I", name);

export const deleteRule = (name: string) => iptables("-D", name);

/** The shell's line for a boot: it puts the rule in unless it is there, and never fails what it is part of. */
export function insertRuleLine(name: string): string {
  return `${checkRule(name).join(" ")} 2>/dev/null || ${insertRule(name).join(" ")} || true`;
}
