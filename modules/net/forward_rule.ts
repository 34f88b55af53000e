import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import { wordsOfRule } from "../formats/iptables_save";

/**
 * The iptables rule that accepts frames from one port of a bridge to another. With net.bridge.bridge-nf-call-iptables, which
 * container engines turn on, they pass through FORWARD, whose policy dockerd sets to DROP. Docker adds such a rule only for
 * the bridge that it uses, and only once it runs; the Weave router adds one by its image's iptables, whose tables may be others
 * than those that dockerd writes to by the host's.
 */
export interface ForwardRule {
  /** As iptables lists it, without the verb. */
  readonly rule: (bridge: string) => string;
  /** Exits with status 0 if the rule exists. */
  readonly checkRule: (bridge: string) => string[];
  /** Inserts the rule before all others. */
  readonly insertRule: (bridge: string) => string[];
  /** Deletes one copy of the rule. */
  readonly deleteRule: (bridge: string) => string[];
  /** Deletes so many copies of it. */
  readonly deleteRules: (bridge: string, copies: number) => string[][];
  /** A shell command for boot: inserts the rule if it doesn't exist, and always succeeds. */
  readonly insertRuleInShell: (bridge: string) => string;
}

/** The commands for the rule of one module, whose name is the rule's comment and tells it from Docker's. */
export function forwardRule(module: string): ForwardRule {
  const rule = (bridge: string): string => `FORWARD -i ${bridge} -o ${bridge} -m comment --comment ${module} -j ACCEPT`;
  // -w waits for other programs that change the rules, such as dockerd at boot.
  const iptables = (verb: string, bridge: string): string[] => `iptables -w ${verb} ${rule(bridge)}`.split(" ");
  const checkRule = (bridge: string): string[] => iptables("-C", bridge);
  const insertRule = (bridge: string): string[] => iptables("-I", bridge);
  const deleteRule = (bridge: string): string[] => iptables("-D", bridge);
  return {
    rule,
    checkRule,
    insertRule,
    deleteRule,
    deleteRules: (bridge, copies) => Array.from({ length: copies }, () => deleteRule(bridge)),
    insertRuleInShell: (bridge) =>
      `${checkRule(bridge).join(" ")} 2>/dev/null || ${insertRule(bridge).join(" ")} || true`,
  };
}

/**
 * How many copies of the rule the host's iptables has: someone may have restored saved rules beside it. A copy does no harm, so those
 * of a rule that is to stay count as one. iptables' exit status 1 means that it has none; a higher one, that iptables failed
 * (iptables/xshared.h): a UserError about the option is thrown then.
 */
export function countForwardRules(
  { rule, checkRule }: ForwardRule,
  bridge: string,
  stays: boolean,
  option: string,
  host: Host,
): number {
  const check = checkRule(bridge);
  const { status, stderr } = host.run(check, { mayFail: true });
  if (status > 1) {
    throw new UserError(
      `${option}: needs a working iptables on this host (found exit status ${status} of "${check.join(" ")}": ` +
        `${stderr.trim()}). Repair iptables.`,
    );
  }
  if (status !== 0) return 0;
  if (stays) return 1;
  const all = host.run(["iptables", "-w", "-S", "FORWARD"]).stdout.split("\n");
  return Math.max(1, all.filter((each) => wordsOfRule(each).join(" ") === `-A ${rule(bridge)}`).length);
}
