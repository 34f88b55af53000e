import { type DesiredFile, runAction } from "../../core/change";
import { renderSections } from "../../formats/systemd_ini";
import { ownDevices } from "../names";
import { COMMENT, networkdPath, OWN_FILE, ownFile, unmanagedPath } from "../own_files";

/** Makes NetworkManager read its files again. */
export const RELOAD_NETWORK_MANAGER = runAction(["systemctl", "reload", "NetworkManager"]);

/** NetworkManager's file that leaves the devices unmanaged; `+=` adds to the value of other files (NetworkManager.conf(5)). */
export function unmanagedByNetworkManager(name: string, encrypted: boolean): DesiredFile {
  const devices = ownDevices(name, encrypted);
  return ownFile(unmanagedPath(name), () =>
    renderSections(`${OWN_FILE}, which configures these devices.`, [
      ["keyfile", [["unmanaged-devices+", devices.map((device) => `interface-name:${device}`).join(";")]]],
    ]),
  );
}

/** The file that makes systemd-networkd leave all devices to this module's unit, whatever other files match them. */
export function unmanagedByNetworkd(name: string, encrypted: boolean): DesiredFile {
  return unmanagedFile(networkdPath(name, "network"), ...ownDevices(name, encrypted));
}

/** A file at this path that makes systemd-networkd leave these devices unmanaged. */
export function unmanagedFile(path: string, ...devices: readonly string[]): DesiredFile {
  return ownFile(path, () =>
    renderSections(COMMENT, [
      ["Match", [["Name", devices.join(" ")]]],
      ["Link", [["Unmanaged", "yes"]]],
    ]),
  );
}
