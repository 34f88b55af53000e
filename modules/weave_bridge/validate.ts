import { UserError } from "../core/errors";
import type { VxlanParameters } from "../formats/iproute";
import { addressOf, contains, networkOf } from "../net/ipv4";
import type { ObservedBridge, ObservedDevice } from "./observed";

/** Throws a UserError if the device with the bridge's name is not a bridge. */
export function requireBridge(name: string, { isBridge }: ObservedDevice): void {
  if (isBridge) return;
  throw new UserError(
    `name: must be a bridge, or an interface that does not exist yet (found another kind of interface ${name} on this ` +
      `host). Delete it (ip link del ${name}), or set another name.`,
  );
}

/** Throws a UserError if Docker would give its containers addresses outside the network or of other hosts' containers. */
export function requireSubnetOfNetwork(dockerSubnet: string, network: string): void {
  if (!contains(network, dockerSubnet)) {
    throw new UserError(
      `docker_subnet: must be in the bridge's network ${network} (found ${dockerSubnet}). Set a subnet of that network.`,
    );
  }
  if (dockerSubnet === network) {
    throw new UserError(
      `docker_subnet: must not be the whole network, as containers of other hosts use it too (found ${dockerSubnet}). Set a ` +
        "smaller subnet, for this host alone.",
    );
  }
}

/**
 * Throws a UserError if the container network overlaps an address or route on another device: one of the two would get the
 * other's traffic. The default route doesn't count, nor do its halves (0.0.0.0/1), which VPN clients add.
 */
export function rejectOverlap(name: string, network: string, { links, routes }: ObservedBridge): void {
  for (const { device, addresses } of links) {
    const found = device === name ? undefined : addresses.find((cidr) => overlap(network, networkOf(cidr)));
    if (found !== undefined) throw overlapError(network, found, device);
  }
  for (const { device, network: route } of routes) {
    if (device !== name && prefixLength(route) > 1 && overlap(network, route)) {
      throw overlapError(network, `the route to ${route}`, device);
    }
  }
}

/** Throws a UserError if another host answers to this host's address. */
export function rejectTakenAddress(address: string, { addressOwner }: ObservedBridge): void {
  if (addressOwner === null) return;
  throw new UserError(
    `address: must not be in use by another host (found ${addressOf(address)} at the hardware address ${addressOwner}). Give ` +
      "each host its own host_index or address.",
  );
}

/**
 * Throws a UserError if another VXLAN device of the host has the same identifier and port: the kernel would not create a
 * second one (vxlan_config_validate() in drivers/net/vxlan/vxlan_core.c), now or at the next boot.
 */
export function rejectDuplicateVxlan(name: string, { id, port }: VxlanParameters, { links }: ObservedBridge): void {
  const same = links.find(({ device, vxlan }) => device !== name && vxlan?.id === id && vxlan.port === port);
  if (same === undefined) return;
  throw new UserError(
    `vxlan_id: ${id} with vxlan_port ${port} must be free on this host (found in use by ${same.device}). Set another ` +
      `vxlan_id on all hosts, or delete that device (ip link del ${same.device}).`,
  );
}

function overlapError(network: string, what: string, device: string): UserError {
  return new UserError(
    `network: ${network} must not overlap the networks of this host (found ${what} on ${device}). Set a network that the ` +
      "hosts do not use.",
  );
}

function overlap(one: string, other: string): boolean {
  return contains(one, addressOf(other)) || contains(other, addressOf(one));
}

function prefixLength(network: string): number {
  return Number(network.replace(/.*\//, ""));
}
