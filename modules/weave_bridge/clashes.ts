import { UserError } from "../core/errors";
import { addressOf, contains, networkOf } from "../net/ipv4";
import type { DesiredVxlan } from "./desired";
import type { ObservedBridge } from "./observe";

/**
 * Throws a UserError where the container network overlaps an address or route that the host has on another device: it would
 * draw the host's own traffic into the containers' network, or the other way round. The default route is none such, nor
 * are the halves of it (0.0.0.0/1) that VPN clients put over it.
 */
export function refuseClash(name: string, network: string, { links, routes }: ObservedBridge): void {
  for (const { device, addresses } of links) {
    const clash = device === name ? undefined : addresses.find((cidr) => overlap(network, networkOf(cidr)));
    if (clash !== undefined) refuse(network, clash, device);
  }
  for (const { device, network: route } of routes) {
    if (device !== name && prefixLength(route) > 1 && overlap(network, route)) {
      refuse(network, `the route to ${route}`, device);
    }
  }
}

/**
 * Throws a UserError where another VXLAN device of the host has the same identifier and port: the kernel takes no second one
 * (vxlan_config_validate() in drivers/net/vxlan/vxlan_core.c), now or at the next boot.
 */
export function refuseSameVxlan({ name, id, port }: DesiredVxlan, { links }: ObservedBridge): void {
  const same = links.find(({ device, vxlan }) => device !== name && vxlan?.id === id && vxlan.port === port);
  if (same === undefined) return;
  throw new UserError(
    `vxlan_id: ${id}, with vxlan_port ${port}, is that of ${same.device} on this host; give each bridge an id of its own, the ` +
      `same on all hosts, or take the other away (ip link del ${same.device})`,
  );
}

function refuse(network: string, what: string, device: string): never {
  throw new UserError(
    `network: ${network} overlaps ${what}, which this host has on ${device}; choose a network that the hosts do not use`,
  );
}

function overlap(one: string, other: string): boolean {
  return contains(one, addressOf(other)) || contains(other, addressOf(one));
}

function prefixLength(network: string): number {
  return Number(network.replace(/.*\//, ""));
}
