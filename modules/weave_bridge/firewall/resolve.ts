import { isIPv4 } from "node:net";
import { addressOf, inNumericOrder, isUnicast } from "../../net/ipv4";
import type { ObservedBridge } from "../observed";
import type { BridgeOptions } from "../options";
import { findOwnEnd } from "../underlay";
import type { OwnEnd } from "./filters";
import { planPermanentRule } from "./forward_rule";
import { openingsOf, type Tunnel } from "./opening";
import { exposureOf, type FirewallPlan, firewallsOf, planFirewall } from "./plan";

/**
 * Whether iptables is to have the rule for the bridge's frames. firewalld, if it runs, has to keep it: it removes all rules but its own
 * whenever it starts or reloads, and Docker then adds the same again. What has been managed stays if it is only checked.
 */
export function keepsRule({ firewall }: BridgeOptions, { forwardRules, permanentRule }: ObservedBridge): boolean {
  return forwardRules !== null && (firewall === "manage" || (firewall === "check" && permanentRule !== false));
}

/** What the bridge's network is, and between which addresses of the underlay. */
interface Network {
  /** The bridge's. */
  readonly address: string;
  readonly network: string;
  readonly encrypted: boolean;
  /** The resolved addresses; none with the router. */
  readonly peers: readonly string[];
}

/** Plans what the host's firewalls need. `underlay` is null if it is not known for sure. */
export function resolveFilter(
  options: BridgeOptions,
  { address, network, encrypted, peers }: Network,
  underlay: OwnEnd | null,
  observed: ObservedBridge,
): FirewallPlan {
  const { name, firewall, datapath, vxlan_port } = options;
  const end = underlay ?? findOwnEnd(options, observed);
  const openings = openingsOf(name, address, network, tunnelOf(options, encrypted, peers, observed));
  const firewalls = firewallsOf(name, observed.firewall, openings, end, observed.bridge !== null);
  const plan = planFirewall(firewalls, openings, firewall === "manage");
  plan.changes.push(...planPermanentRule(name, observed.permanentRule, keepsRule(options, observed)));
  if (observed.firewall && datapath === "vxlan" && !encrypted)
    plan.warnings.push(...exposureOf(firewalls, end.address, vxlan_port));
  return plan;
}

/** What other hosts send to this one. The names of the router's peers may not be resolved. */
function tunnelOf(
  { datapath, peers, vxlan_port, wireguard_port }: BridgeOptions,
  encrypted: boolean,
  resolved: readonly string[],
  { links, resolvedNames }: ObservedBridge,
): Tunnel {
  if (datapath === "vxlan") {
    const port = encrypted ? wireguard_port : vxlan_port;
    return { protocols: ["udp"], port, peers: resolved, inside: encrypted ? vxlan_port : null };
  }
  const own = links.flatMap(({ addresses }) => addresses.map(addressOf));
  const others = peers.flatMap((peer) => (isIPv4(peer) ? peer : (resolvedNames.get(peer) ?? [])));
  const remote = others.filter((peer) => isUnicast(peer) && !own.includes(peer));
  return { protocols: ["tcp", "udp"], port: ROUTERS_PORT, peers: inNumericOrder(remote), inside: null };
}

/** The Weave router's, for TCP and UDP. */
const ROUTERS_PORT = 6783;
