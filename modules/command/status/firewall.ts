import { isIPv4 } from "node:net";
import { parseIptablesFilter } from "../../formats/iptables_filter";
import { networkOf } from "../../net/ipv4";
import { outcomeOf } from "../../weave_bridge/firewall/filters";
import { FORWARDED_FRAMES, neededTraffic, type Tunnel, WEAVE_PORT } from "../../weave_bridge/firewall/needed_traffic";
import { firewallsOf } from "../../weave_bridge/firewall/plan";
import { findLocalEndpoint } from "../../weave_bridge/underlay";
import type { Observed } from "./observe";
import type { FirewallStatus } from "./status";

/** What the packet filters of this host drop of the live bridge's traffic; null without a bridge, or if they could not be read. */
export function summariseFirewall(name: string, observed: Observed): FirewallStatus | null {
  const { bridge } = observed;
  const filters = bridge?.firewall;
  const [address] = bridge?.links.find(({ device }) => device === name)?.addresses ?? [];
  if (!bridge || !filters || address === undefined || (filters.firewalld && filters.nft === null)) return null;
  const tunnel = tunnelOf(observed);
  const local = bridge.vxlan?.parameters?.local ?? "";
  const isUnderlay = isIPv4(local);
  const options = { name, underlay: isUnderlay ? local : null, peers: [] };
  const endpoint = findLocalEndpoint(options, bridge, isUnderlay ? [] : tunnel.peers.filter(isIPv4));
  const traffic = neededTraffic(name, address, networkOf(address), tunnel);
  const firewalls = firewallsOf(name, filters, traffic, endpoint, true);
  // The rules for frames are Docker's, or the module adds one.
  const iptables = parseIptablesFilter(filters.tables.ipv4 ?? "");
  const drops = traffic.filter(
    (needed) =>
      firewalls.some(({ outcome }) => outcome(needed) === "drop") ||
      (needed.id === FORWARDED_FRAMES && outcomeOf(iptables, needed, endpoint) === "drop"),
  );
  return { drops: drops.map(({ description }) => description) };
}

/** What other hosts send to this one, by what it has now. */
function tunnelOf({ bridge, router, configuredPeers }: Observed): Tunnel {
  const { vxlan, wireguard } = bridge ?? {};
  if (!vxlan?.parameters) {
    const peers = router?.connections.map(({ address }) => address) ?? configuredPeers;
    return { protocols: ["tcp", "udp"], port: WEAVE_PORT, peers: peers.map(withoutPort), inside: null };
  }
  const { port, device } = vxlan.parameters;
  if (device === undefined || !wireguard?.config)
    return { protocols: ["udp"], port, peers: vxlan.peers.filter(isIPv4), inside: null };
  const endpoints = wireguard.config.peers.flatMap(({ endpoint }) => endpoint ?? []);
  return { protocols: ["udp"], port: wireguard.config.port, peers: endpoints.map(withoutPort), inside: port };
}

const withoutPort = (peer: string): string => peer.replace(/:\d+$/, "");
