import { type DesiredFile, run } from "../core/change";
import { renderSections } from "../formats/systemd_ini";
import { VXLAN_SUFFIX } from "./options";

/** What tells NetworkManager to keep off a bridge and its VXLAN device. */
export function unmanagedPath(name: string): string {
  return `/etc/NetworkManager/conf.d/${name}-bridge.conf`;
}

export const RELOAD_NETWORK_MANAGER = run(["systemctl", "reload", "NetworkManager"]);

/** NetworkManager.conf(5): `+=` adds to what other files say. */
export function unmanagedFile(name: string): DesiredFile {
  const content = renderSections("Written by Ansible's weave_bridge, which makes and keeps these devices.", [
    ["keyfile", [["unmanaged-devices+", `interface-name:${name};interface-name:${name}${VXLAN_SUFFIX}`]]],
  ]);
  return { path: unmanagedPath(name), content, mode: 0o644 };
}
