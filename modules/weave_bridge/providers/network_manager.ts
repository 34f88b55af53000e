import { type DesiredFile, runAction } from "../../core/change";
import { renderSections } from "../../formats/systemd_ini";
import { ownDevices } from "../names";
import { OWN_FILE, ownFile, unmanagedPath } from "../own_files";

/** Makes NetworkManager read its files again. */
export const RELOAD_NETWORK_MANAGER = runAction(["systemctl", "reload", "NetworkManager"]);

/** The file that leaves the devices unmanaged; `+=` adds to the value of other files (NetworkManager.conf(5)). */
export function unmanagedFile(name: string, encrypted: boolean): DesiredFile {
  const devices = ownDevices(name, encrypted);
  return ownFile(unmanagedPath(name), () =>
    renderSections(`${OWN_FILE}, which configures these devices.`, [
      ["keyfile", [["unmanaged-devices+", devices.map((device) => `interface-name:${device}`).join(";")]]],
    ]),
  );
}
