import { type BaseChain, type FilterRule, type Match, type PacketFilter, VERDICTS, type Verdict } from "./filter_rules";
import { parseIptablesSave, wordsOfRule } from "./iptables_save";

/** Parses what `iptables-save -t filter` or `ip6tables-save -t filter` prints. */
export function parseIptablesFilter(text: string): PacketFilter {
  const chains = new Map<string, FilterRule[]>();
  for (const rule of parseIptablesSave(text)[0]?.rules ?? []) {
    const [, name = ""] = wordsOfRule(rule);
    const chain = chains.get(name) ?? [];
    chain.push(parseRule(rule));
    chains.set(name, chain);
  }
  const base = (["input", "forward"] as const).map((hook): BaseChain => {
    const chain = hook.toUpperCase();
    return { chain, hook, policy: text.includes(`\n:${chain} DROP `) ? "drop" : "accept" };
  });
  return { chains, base };
}

/** The options that match a field of a packet, as iptables-save prints them (iptables(8), iptables-extensions(8)). */
const FIELDS: Readonly<Record<string, Match["field"]>> = {
  "-s": "source",
  "-d": "destination",
  "-i": "in",
  "-o": "out",
  "-p": "protocol",
  "--dport": "port",
  "--dports": "port",
  "--ctstate": "state",
  "--state": "state",
  "--dst-type": "type",
};

function parseRule(rule: string): FilterRule {
  const matches: Match[] = [];
  let [opaque, negated, comment] = [false, false, ""];
  let verdict: Verdict | null = null;
  const words = wordsOfRule(rule);
  for (let at = 2; at < words.length; at++) {
    const [word = "", value = ""] = words.slice(at);
    const field = FIELDS[word];
    if (word === "!") {
      negated = true;
      continue;
    }
    if (word === "-j" || word === "-g") {
      opaque ||= value.endsWith("QUEUE");
      verdict = verdictOf(value, word === "-g");
      // The target's own options follow.
      break;
    }
    if (field !== undefined && !/\/\d+\./.test(value)) {
      matches.push({ field, values: value.split(","), negated });
    } else if (word === "--comment") comment = value;
    else if (word !== "-m") {
      // Another option, or one of its values.
      [opaque, negated] = [true, false];
      continue;
    }
    negated = false;
    at++;
  }
  return { matches, opaque, verdict, comment, reference: rule };
}

/** Another target, such as LOG, is a chain without rules. */
const verdictOf = (target: string, goto: boolean): Verdict => VERDICTS[target] ?? { chain: target, goto };
