import { forwardRule } from "../net/forward_rule";

/** The commands for the rule that accepts the bridge's frames. Of any other rule, this module knows nothing. */
export const FRAMES = forwardRule("weave_bridge");

export const { insertRule, deleteRule, deleteRules, insertRuleInShell } = FRAMES;
