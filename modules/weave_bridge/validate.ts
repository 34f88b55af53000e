import { isIPv6 } from "node:net";
import { UserError } from "../core/errors";
import type { VxlanParameters } from "../formats/iproute";
import { addressOf, contains } from "../net/ipv4";
import type { ObservedBridge, ObservedDevice, Provider } from "./observed";
import { type BridgeOptions, hasWireguard } from "./options";

/** Throws a UserError if the device with the bridge's name is not a bridge. */
export function requireBridge(name: string, { isBridge }: ObservedDevice): void {
  if (isBridge) return;
  throw new UserError(
    `name: must be a bridge, or not exist yet (found another kind of device, ${name}). Delete it (ip link del ${name}), or set ` +
      "another name.",
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
        "smaller subnet, for this host only.",
    );
  }
}

/** Throws a UserError if another host answers to this host's address. */
export function rejectTakenAddress(address: string, { macAtAddress }: ObservedBridge): void {
  if (macAtAddress === null) return;
  throw new UserError(
    `address: must not be in use by another host (found ${addressOf(address)} at the MAC address ${macAtAddress}). Give ` +
      "each host its own I(host_index) or I(address).",
  );
}

/**
 * Throws a UserError if containers are on a Docker network of the bridge that would no longer fit it: Docker can't change a network,
 * and removes none that containers are on.
 */
export function rejectNetworksInUse(
  { address, mtu }: { readonly address: string; readonly mtu: number },
  options: BridgeOptions,
  { dockerNetworks, wireguard }: ObservedBridge,
): void {
  for (const { name, gateway, members, mtu: given } of dockerNetworks) {
    const keepsAddress = addressOf(address) === gateway;
    if (keepsAddress && (given ?? mtu) === mtu) continue;
    const option = keepsAddress ? mtuOption(options, wireguard !== null) : addressOption(options, gateway);
    throw new UserError(
      `${option}: the bridge must keep ${keepsAddress ? `MTU ${given}` : `address ${gateway}`} while containers use it (found ` +
        `${members.length === 1 ? "container" : "containers"} ${members.join(", ")} on Docker network ${name}). ` +
        `Remove them, or disconnect each (docker network disconnect ` +
        `${name} CONTAINER), also those that do not run, and run again.`,
    );
  }
}

/** The option that changes the bridge's MTU. */
function mtuOption(options: BridgeOptions, wasEncrypted: boolean): string {
  return hasWireguard(options) === wasEncrypted ? "datapath" : "password";
}

/** The option that gives the bridge another address than `former`. */
function addressOption({ address, network }: BridgeOptions, former: string): string {
  if (address !== null) return "address";
  return contains(network, former) ? "host_index" : "network";
}

/** Throws a UserError if a device of the host has the name as an alias: the kernel would create no second one. */
export function rejectAlias(devices: readonly string[], { links }: ObservedBridge): void {
  for (const { device, aliases } of links) {
    const alias = aliases.find((each) => devices.includes(each));
    if (alias === undefined) continue;
    throw new UserError(
      `name: ${alias} must be free on this host (found it as another name of ${device}). Set another name, or delete that one ` +
        `(ip link property del dev ${device} altname ${alias}).`,
    );
  }
}

/** Throws a UserError if ifupdown would mistake the bridge for a VLAN of a device of the host, because of its name. */
export function rejectVlanName(name: string, provider: Provider, { links }: ObservedBridge): void {
  const device = /^(.+)\.\d+$/.exec(name)?.[1];
  if (provider !== "ifupdown" || !links.some((link) => link.device === device)) return;
  throw new UserError(
    `name: must not be one that ifupdown gives a VLAN (found ${name} on a host that has ${device}). Set a name without a dot.`,
  );
}

/**
 * Throws a UserError if another device of the host has the bridge's MAC address: neighbours would confuse them.
 * The bridge's ports and devices on top of it, such as a VLAN, may have it.
 */
export function rejectSharedMac(name: string, mac: string, { links }: ObservedBridge): void {
  const other = links.find((link) => link.mac === mac && ![link.device, link.master, link.parent].includes(name));
  if (other === undefined) return;
  throw new UserError(
    `mac: ${mac} must belong to the bridge only (found it on ${other.device}). Set another one, or remove I(mac) to have one derived ` +
      "from the host's machine-id.",
  );
}

/** Throws a UserError if files of others would create or configure the bridge or its VXLAN at boot too. */
export function rejectOtherSettings(provider: Provider, { otherSettings }: ObservedBridge): void {
  const other = otherSettings.find(({ reader, comesFirst }) =>
    // With ifupdown this module writes no .network file that would sort before others, and no unit that drop-ins could change.
    reader === "systemd" ? provider === "systemd" : comesFirst || provider === "ifupdown",
  );
  if (other === undefined) return;
  const { device, path, line, text } = other;
  throw new UserError(
    `name: only this module may configure ${device} at boot (found "${text}" in ${path}, line ${line}). Remove it ` +
      "there, or set another name.",
  );
}

/** Throws a UserError if the kernel can't create the bridge or its VXLAN. */
export function requireKinds({ missingKinds }: ObservedBridge): void {
  const [missing] = missingKinds;
  if (missing === undefined) return;
  const { kind, found } = missing;
  const [subject, remedy] =
    kind === "vxlan" ? ["datapath: this kernel", ", or set I(datapath): router"] : ["kernel:", ""];
  throw new UserError(
    `${subject} must have the module ${kind} (found ${found}). Install or allow it (modprobe ${kind})${remedy}.`,
  );
}

/**
 * Throws a UserError if the kernel would not create the VXLAN next to the host's other ones, or could not bring it up, now or at the
 * next boot (drivers/net/vxlan/vxlan_core.c). vxlan_vni_in_use() rejects a second device with the same identifier and port.
 * vxlan_find_sock() has devices share a port only with the same flags; otherwise the port is in use.
 */
export function rejectVxlanConflicts(
  name: string,
  { id, port, local }: VxlanParameters,
  observed: ObservedBridge,
): void {
  for (const { device, vxlan } of observed.links) {
    if (device === name || vxlan?.port !== port) continue;
    // One with the flag external receives over both.
    if (vxlan.ipv6 !== isIPv6(local) && !(isIPv6(local) && vxlan.flags.includes("external"))) continue;
    if (vxlan.flags.length > 0) {
      throw portError(
        port,
        `${device}, a VXLAN with other flags: ${vxlan.flags.join(", ")}`,
        `delete it (ip link del ${device})`,
      );
    }
    if (vxlan.id === id) {
      throw new UserError(
        `vxlan_id: ${id} with I(vxlan_port) ${port} must be free on this host (found in use by ${device}). Set another ` +
          `I(vxlan_id) on all hosts, or delete that device (ip link del ${device}).`,
      );
    }
  }
  if (observed.portHolder !== null) throw portError(port, observed.portHolder, "stop it");
}

function portError(port: number, found: string, remedy: string): UserError {
  return new UserError(
    `vxlan_port: UDP port ${port} must be free on this host (found in use by ${found}). Set another I(vxlan_port) on all hosts, or ${remedy}.`,
  );
}
