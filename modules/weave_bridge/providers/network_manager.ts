import { type DesiredFile, runAction } from "../../core/change";
import { renderSections } from "../../formats/systemd_ini";
import { ownDevices } from "../options";
import { OWN_FILE, ownFile, unmanagedPath } from "../own_files";

export const RELOAD_NETWORK_MANAGER = runAction(["systemctl", "reload", "NetworkManager"]);

/** The file that makes NetworkManager leave the devices alone; `+=` adds to what other files say (NetworkManager.conf(5)). */
export function unmanagedFile(name: string, encrypted: boolean): DesiredFile {
  const devices = ownDevices(name, encrypted);
  return ownFile(unmanagedPath(name), () =>
    renderSections(`${OWN_FILE}, which configures these devices.`, [
      ["keyfile", [["unmanaged-devices+", devices.map((device) => `interface-name:${device}`).join(";")]]],
    ]),
  );
}
