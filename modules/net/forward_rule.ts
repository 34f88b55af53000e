import type { Host } from "../core/host/host";
import { wordsOfRule } from "../formats/iptables_save";

/**
 * The iptables rule that accepts frames from one port of a bridge to another. With net.bridge.bridge-nf-call-iptables, which
 * container engines turn on, they pass through FORWARD, whose policy dockerd sets to DROP. Docker adds such a rule only for
 * the bridge that it uses, and only once it runs. The Weave router adds one, but it uses its image's iptables, which may use the other
 * backend (legacy or nf_tables) than the host's.
 */
export interface ForwardRule {
  /** As iptables lists it, without the verb. */
  readonly rule: (bridge: string) => string;
  /** Inserts the rule before all others. */
  readonly insertRule: (bridge: string) => string[];
  /** Deletes one copy of the rule. */
  readonly deleteRule: (bridge: string) => string[];
  /** Deletes this number of copies, by a command each. */
  readonly deleteRules: (bridge: string, copies: number) => string[][];
  /** A shell command for boot: inserts the rule if it doesn't exist, and always succeeds. */
  readonly insertRuleInShell: (bridge: string) => string;
}

/** The commands for the rule of one module, whose name is the rule's comment and distinguishes it from Docker's. */
export function forwardRule(module: string): ForwardRule {
  const rule = (bridge: string): string => `FORWARD -i ${bridge} -o ${bridge} -m comment --comment ${module} -j ACCEPT`;
  // -w waits for other programs that change the rules, such as dockerd at boot.
  const iptables = (verb: string, bridge: string): string[] => `iptables -w ${verb} ${rule(bridge)}`.split(" ");
  const insertRule = (bridge: string): string[] => iptables("-I", bridge);
  const deleteRule = (bridge: string): string[] => iptables("-D", bridge);
  return {
    rule,
    insertRule,
    deleteRule,
    deleteRules: (bridge, copies) => Array.from({ length: copies }, () => deleteRule(bridge)),
    insertRuleInShell: (bridge) =>
      `${iptables("-C", bridge).join(" ")} 2>/dev/null || ${insertRule(bridge).join(" ")} || true`,
  };
}

/** What `iptables-save -t filter` prints. Throws a UserError if it fails; with `mayFail` there are no rules then. */
export function readFilterTable(host: Host, { mayFail = false } = {}): string {
  return host.run(["iptables-save", "-t", "filter"], { mayFail }).stdout;
}

/**
 * How many copies of a rule a table has: someone may have restored saved rules next to it. If the rule stays, extra copies are ignored,
 * as they do no harm.
 */
export function countRules(rule: string, stays: boolean, table: string): number {
  const copies = table.split("\n").filter((each) => wordsOfRule(each).join(" ") === `-A ${rule}`).length;
  return stays ? Math.min(copies, 1) : copies;
}
