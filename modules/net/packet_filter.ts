import { isIPv4 } from "node:net";
import type { BaseChain, Fields, Match, PacketFilter } from "../formats/filter_rules";
import { contains } from "./ipv4";

/** The first packet of a connection. No rule matches a field that it lacks. */
export type Packet = Partial<Fields>;

/** The outcome for a packet in all chains; unknown if a rule that is not understood may accept it. A Verdict is that of one rule. */
export type Outcome = "accept" | "drop" | "unknown";

/**
 * What a base chain does with a packet. The kernel accepts no chains that jump in circles. A rule that is not understood is assumed not
 * to drop it.
 */
export function outcomeInChain({ chain, policy }: BaseChain, { chains }: PacketFilter, packet: Packet): Outcome {
  let unsure = false;
  const walk = (name: string): "accept" | "drop" | null => {
    for (const { matches, verdict, ...rule } of chains.get(name) ?? []) {
      const decisive = matches.filter(({ field }) => !isAny(field, packet));
      if (verdict === null || !decisive.every((match) => isMatched(match, packet))) continue;
      const mayNotMatch = rule.opaque || decisive.length < matches.length;
      const outcome = typeof verdict === "string" ? verdict : walk(verdict.chain);
      // After a jump, a packet that the other chain does not decide on comes back to the next rule; after a goto it does not.
      const leavesChain = outcome === "return" || (typeof verdict === "object" && verdict.goto);
      const isDecided = outcome === "accept" || outcome === "drop";
      if (mayNotMatch) unsure ||= outcome === "accept" || (leavesChain && outcome !== "drop");
      else if (isDecided) return outcome;
      else if (leavesChain) return null;
    }
    return null;
  };
  const outcome = walk(chain) ?? policy;
  return outcome === "drop" && unsure ? "unknown" : outcome;
}

/** Whether a packet stands for those of any protocol, so that a rule for one protocol decides on some of them. */
const isAny = (field: keyof Fields, packet: Packet): boolean =>
  (field === "protocol" || field === "port") && packet[field] === undefined;

/** Whether a packet has one of the values of a match. */
export function isMatched({ field, values, negated }: Match, packet: Packet): boolean {
  const found = packet[field];
  return found !== undefined && values.some((value) => isValue(field, value, found)) !== negated;
}

/** As either program prints it: states are NEW in iptables, ranges 1024:65535, and devices veth+. */
function isValue(field: keyof Fields, value: string, found: string): boolean {
  if (value === found || value.toLowerCase() === found) return true;
  if (field === "source" || field === "destination") return isInNetwork(value, found);
  if (field === "in" || field === "out") return /[*+]$/.test(value) && found.startsWith(value.slice(0, -1));
  const [, first, last] = /^(\d+)[-:](\d+)$/.exec(value) ?? [];
  return Number(first) <= Number(found) && Number(found) <= Number(last);
}

function isInNetwork(network: string, found: string): boolean {
  if (found.includes(":")) return network === "::/0" || /^fe80::\/(10|[1-5]\d|6[0-4])$/.test(network);
  return isIPv4(network.replace(/\/.*/, "")) && contains(network, found);
}
