import { isIPv4 } from "node:net";
import type { BaseChain, Fields, Match, PacketFilter } from "../formats/filter_rules";
import { contains } from "./ipv4";

/** The first packet of a connection. What it lacks, no rule is taken to match. */
export type Packet = Partial<Fields>;

/** What becomes of a packet; unknown if a rule that is not understood may accept it. */
export type Outcome = "accept" | "drop" | "unknown";

/** What a base chain does with a packet. The kernel accepts no chains that jump in circles. A rule that is not understood is taken not to drop it. */
export function outcomeInChain({ chain, policy }: BaseChain, { chains }: PacketFilter, packet: Packet): Outcome {
  let unsure = false;
  const walk = (name: string): "accept" | "drop" | null => {
    for (const { matches, verdict, ...rule } of chains.get(name) ?? []) {
      const decisive = matches.filter(({ field }) => !isAny(field, packet));
      if (verdict === null || !decisive.every((match) => isMatched(match, packet))) continue;
      const opaque = rule.opaque || decisive.length < matches.length;
      const outcome = typeof verdict === "string" ? verdict : walk(verdict.chain);
      if (opaque) unsure ||= outcome !== "drop" && (outcome !== null || (typeof verdict === "object" && verdict.goto));
      else if (outcome === "accept" || outcome === "drop") return outcome;
      else if (outcome === "return" || (typeof verdict === "object" && verdict.goto)) return null;
    }
    return null;
  };
  const outcome = walk(chain) ?? policy;
  return outcome === "drop" && unsure ? "unknown" : outcome;
}

/** Whether a packet stands for those of any protocol, of which a rule for one decides some. */
const isAny = (field: keyof Fields, packet: Packet): boolean =>
  (field === "protocol" || field === "port") && packet[field] === undefined;

/** Whether a packet has what a rule matches. */
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
