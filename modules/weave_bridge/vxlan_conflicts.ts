import { isIPv6 } from "node:net";
import { UserError } from "../core/errors";
import type { VxlanParameters } from "../formats/iproute";
import type { ObservedBridge } from "./observed";

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
