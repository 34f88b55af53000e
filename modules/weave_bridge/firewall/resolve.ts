import { isIPv4 } from "node:net";
import { addressOf, inNumericOrder, isUnicast } from "../../net/ipv4";
import { isOwnName } from "../../net/own_host";
import { isContainerPort, type ObservedBridge } from "../observed";
import type { BridgeOptions } from "../options";
import { ownTextIn, ruleCommandsIn } from "../own_files";
import { findLocalEndpoint } from "../underlay";
import type { LocalEndpoint } from "./filters";
import { planFirewalldForwardRule } from "./forward_rule";
import { neededTraffic, ownComment, type Tunnel, WEAVE_PORT } from "./needed_traffic";
import { exposureOf, type FirewallPlan, firewallsOf, planTraffic } from "./plan";

/**
 * Whether iptables is to have the forward rule. firewalld, if it runs, has to keep it: it removes all rules but its own
 * whenever it starts or reloads, and Docker then adds its own again. A rule that `manage` added stays with `check`.
 */
export function wantsForwardRule(
  { firewall }: BridgeOptions,
  { forwardRuleCount, firewalldHasForwardRule }: ObservedBridge,
): boolean {
  return (
    forwardRuleCount !== null && (firewall === "manage" || (firewall === "check" && firewalldHasForwardRule !== false))
  );
}

/** What the bridge's network is, and between which addresses of the underlay. */
interface Network {
  /** The bridge's address. */
  readonly address: string;
  readonly network: string;
  readonly encrypted: boolean;
  /** The resolved addresses; none with the router. */
  readonly peers: readonly string[];
}

/** Plans what the host's firewalls need. `underlay` is null if it is not known for certain. */
export function resolveFirewallPlan(
  options: BridgeOptions,
  { address, network, encrypted, peers }: Network,
  underlay: LocalEndpoint | null,
  observed: ObservedBridge,
): FirewallPlan {
  const { name, firewall, datapath, vxlan_port } = options;
  const { unresolved, ...tunnel } = tunnelOf(options, encrypted, peers, observed);
  const endpoint = underlay ?? findLocalEndpoint(options, observed, tunnel.peers);
  const traffic = neededTraffic(name, address, network, tunnel);
  const isInUse = observed.bridge?.ports.some(isContainerPort);
  const firewalls = firewallsOf(name, observed.firewall, traffic, endpoint, isInUse);
  const manage = firewall === "manage";
  // Any of the router's rules may be for a peer whose name this host can't resolve at the moment.
  const keeps = (rule: string): boolean => unresolved.length > 0 && rule.includes(`/${WEAVE_PORT}/`);
  const plan = planTraffic(firewalls, traffic, firewall, keeps);
  const forwardRule = wantsForwardRule(options, observed) ? "kept" : "removed";
  const mayBeExposed = observed.firewall !== null && datapath === "vxlan" && !encrypted;
  // What was opened stays so at boot, too, also if the kernel has lost the rules meanwhile.
  const written = ruleCommandsIn(ownTextIn(observed.files) ?? "", ownComment(name));
  return {
    changes: [...plan.changes, ...planFirewalldForwardRule(name, observed.firewalldHasForwardRule, forwardRule)],
    warnings: [
      ...plan.warnings,
      ...(mayBeExposed ? exposureOf(firewalls, endpoint.address, vxlan_port) : []),
      ...(manage && unresolved.length > 0 ? [describeUnresolved(unresolved)] : []),
    ],
    boot: manage && unresolved.length === 0 ? plan.boot : [...new Set([...written, ...plan.boot])],
  };
}

const describeUnresolved = (peers: readonly string[]): string =>
  `peers: a managed firewall needs each peer's address (found none for ${peers.join(", ")}, so that no rule for the router is ` +
  "removed). Add the name to DNS or to this host's /etc/hosts.";

/** The tunnel by which other hosts send to this one, and those of the router's peers whose address is unknown. */
function tunnelOf(
  { datapath, peers, vxlan_port, wireguard_port }: BridgeOptions,
  encrypted: boolean,
  resolved: readonly string[],
  observed: ObservedBridge,
): Tunnel & { readonly unresolved: readonly string[] } {
  if (datapath === "vxlan") {
    const port = encrypted ? wireguard_port : vxlan_port;
    return { protocols: ["udp"], port, peers: resolved, inside: encrypted ? vxlan_port : null, unresolved: [] };
  }
  const own = observed.links.flatMap(({ addresses }) => addresses.map(addressOf));
  const unicastAddressesOf = (peer: string): readonly string[] =>
    isIPv4(peer) ? [peer] : (observed.resolvedNames.get(peer) ?? []).filter(isUnicast);
  const others = peers.flatMap(unicastAddressesOf).filter((peer) => !own.includes(peer));
  const unresolved = peers.filter(
    (peer) => unicastAddressesOf(peer).length === 0 && !isOwnName(peer, observed.hostName),
  );
  return { protocols: ["tcp", "udp"], port: WEAVE_PORT, peers: inNumericOrder(others), inside: null, unresolved };
}
