import { UserError } from "../core/errors";
import { MAIN_TABLE, type Route, type Rule } from "../formats/routes";
import { addressOf, contains, networkOf, overlap, prefixLength } from "../net/ipv4";
import type { ObservedBridge } from "./observed";

/**
 * Throws a UserError if the container network overlaps an address or route on another device: one of the two would get the
 * other's traffic. The default route is ignored, as are its halves (0.0.0.0/1), which VPN clients add. A wider route
 * that leads nowhere, such as `unreachable 10.0.0.0/8`, is ignored too: the bridge's own route is more specific.
 */
export function rejectOverlap(name: string, network: string, observed: ObservedBridge): void {
  for (const { device, addresses } of observed.links) {
    const found = device === name ? undefined : addresses.find((cidr) => overlap(network, networkOf(cidr)));
    if (found !== undefined) throw overlapError(network, `${found} on ${device}`);
  }
  const main = observed.routes.filter(({ table, device }) => table === MAIN_TABLE && device !== name);
  const taken = main.find((route) => takesFromMain(network, route));
  if (taken !== undefined) throw overlapError(network, describe(taken));
  rejectPolicy(name, network, observed);
}

function takesFromMain(network: string, { type, network: destination, metric }: Route): boolean {
  if (!overlap(network, destination)) return false;
  if (!LEADS_NOWHERE.has(type)) return prefixLength(destination) > 1;
  const [own, other] = [prefixLength(network), prefixLength(destination)];
  return other > own || (other === own && metric === 0);
}

const LEADS_NOWHERE: ReadonlySet<string> = new Set(["unreachable", "blackhole", "prohibit", "throw"]);

/**
 * Throws a UserError if a rule sends packets to the container network elsewhere before the main table is looked up, which
 * has the bridge's route. The rules are followed as the kernel does it (fib_rules_lookup() in net/core/fib_rules.c).
 */
function rejectPolicy(name: string, network: string, observed: ObservedBridge): void {
  let next = 0;
  for (const rule of observed.rules) {
    const { priority, action } = rule;
    if (priority < next || !applies(rule, name, network)) continue;
    const all = appliesToAll(rule, network);
    if ("goTo" in action) {
      if (all) next = action.goTo;
    } else if ("verdict" in action) {
      if (LEADS_NOWHERE.has(action.verdict)) throw policyError(network, `rule ${priority}, ${action.verdict}`, rule);
    } else {
      const table = observed.routes.filter(
        (route) => route.table === action.lookup && prefixLength(route.network) > action.suppressed,
      );
      const isMain = action.lookup === MAIN_TABLE;
      const elsewhere = isMain ? undefined : routeElsewhere(table, name, scopeOf(rule, network), observed);
      if (elsewhere !== undefined) throw policyError(network, describe(elsewhere), rule);
      // The main table has the bridge's route, or will have it.
      const leadsToBridge = isMain
        ? prefixLength(network) > action.suppressed
        : table.some((route) => route.device === name && contains(route.network, network));
      if (all && leadsToBridge) return;
    }
  }
}

/** The part of the container network that a rule applies to. */
function scopeOf({ to, inverted }: Rule, network: string): string {
  return to !== null && !inverted && contains(network, to) ? to : network;
}

/** A route of a table that takes packets to the scope elsewhere. This host's own addresses are checked elsewhere. */
function routeElsewhere(
  table: readonly Route[],
  name: string,
  scope: string,
  { links }: ObservedBridge,
): Route | undefined {
  const own = new Set(links.flatMap(({ addresses }) => addresses.map((cidr) => `${addressOf(cidr)}/32`)));
  return table.find(
    (route) =>
      route.device !== name &&
      !["throw", "broadcast", "multicast", "anycast"].includes(route.type) &&
      !(route.type === "local" && own.has(route.network)) &&
      overlap(scope, route.network) &&
      !isShadowed(route, scope, table),
  );
}

/** Whether a more specific route of the same table covers all of the scope. */
function isShadowed(route: Route, scope: string, table: readonly Route[]): boolean {
  return table.some(
    (other) => prefixLength(other.network) > prefixLength(route.network) && contains(other.network, scope),
  );
}

/**
 * Whether a rule applies to packets to the container network. Considers unmarked packets only: those of containers, and those of this
 * host, whose source address is not chosen yet.
 */
function applies(rule: Rule, name: string, network: string): boolean {
  const { from, to, incoming, outgoing } = rule;
  if (rule.inverted) {
    return (
      from !== null ||
      (to !== null && !contains(to, network)) ||
      incoming !== null ||
      outgoing !== null ||
      rule.hasOtherMatch ||
      rule.hasProtocolMatch ||
      !fitsUnmarked(rule)
    );
  }
  return (
    (from === null || overlap(from, network)) &&
    (to === null || overlap(to, network)) &&
    [null, "lo", name].includes(incoming) &&
    [null, name].includes(outgoing) &&
    !rule.hasOtherMatch &&
    fitsUnmarked(rule)
  );
}

/** Whether a rule that applies does so to all packets to the container network. */
function appliesToAll(rule: Rule, network: string): boolean {
  const { from, to, incoming, outgoing, mark } = rule;
  if (from !== null || incoming !== null || outgoing !== null || rule.hasOtherMatch || rule.hasProtocolMatch)
    return false;
  return rule.inverted ? to === null && mark !== null : to === null || contains(to, network);
}

function fitsUnmarked({ mark }: Rule): boolean {
  return mark === null || (mark.value & mark.mask) === 0;
}

function describe({ type, network, device }: Route): string {
  const kind = type === "unicast" ? "route" : `${type} route`;
  return `the ${kind} to ${network}${device === null ? "" : ` on ${device}`}`;
}

function overlapError(network: string, found: string): UserError {
  return new UserError(
    `network: ${network} must not overlap the networks of this host (found ${found}). Set a network that the hosts do not use.`,
  );
}

function policyError(network: string, found: string, { priority, action }: Rule): UserError {
  const where = "lookup" in action ? ` in table ${action.lookup}, because of rule ${priority}` : "";
  const first =
    priority > 0
      ? `Add a rule before it (ip rule add to ${network} lookup main priority ${priority - 1})`
      : "Delete it";
  return new UserError(
    `network: packets to ${network} must be routed to the bridge by the main routing table (found ${found}${where}). ${first}, ` +
      "or set another network.",
  );
}
