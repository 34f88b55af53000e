/** The VXLAN device's name is the bridge's with this appended. */
export const VXLAN_SUFFIX = "-vx";

/** The WireGuard device's name is the bridge's with this appended. */
export const WIREGUARD_SUFFIX = "-wg";

/** The devices that this module may create for a bridge: itself, its VXLAN, and the WireGuard device under that. */
export function ownDevices(bridge: string, encrypted = true): string[] {
  return [bridge, bridge + VXLAN_SUFFIX, ...(encrypted ? [bridge + WIREGUARD_SUFFIX] : [])];
}
