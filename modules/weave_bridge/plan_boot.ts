import { basename, dirname } from "node:path";
import { type Action, type Change, type DesiredFile, fileChanges, reloadOf, runAction } from "../core/change";
import { DAEMON_RELOAD } from "../core/systemctl";
import { INTERFACES } from "../formats/interfaces";
import type { DesiredBridge } from "./desired";
import type { ObservedBridge } from "./observed";
import {
  dockerDropInPath,
  encryptedPaths,
  networkdPaths,
  pendingReloadPath,
  stanzaPath,
  unitName,
  unitPath,
  unmanagedPath,
} from "./own_files";
import { bringDown, ifupdownFiles, interfacesContent } from "./providers/ifupdown";
import { networkdFiles, RELOAD_NETWORKD, release, reloadNetworkd } from "./providers/networkd";
import { systemdFiles, unitChanges, unitLinkRemoval, unitStateRemoval } from "./providers/systemd";
import { RELOAD_NETWORK_MANAGER, unmanagedByNetworkd, unmanagedByNetworkManager } from "./providers/unmanaged";

/**
 * Plans the changes of the files that create the bridge at boot; `desired` is null if it is to be absent. The files of the
 * other providers are removed, or the bridge would be created twice.
 */
export function planBoot(name: string, desired: DesiredBridge | null, observed: ObservedBridge): Change[] {
  const files = new Map(desiredFiles(name, desired, observed).map((file) => [file.path, file]));
  const provider = desired?.provider ?? null;
  const changesOf = (path: string): Change[] =>
    fileChanges(observed.files.get(path) ?? null, files.get(path) ?? { path, content: null });

  const networkManager = changesOf(unmanagedPath(name));
  const encrypted = encryptedPaths(name);
  const networkd = [...networkdPaths(name), encrypted.unmanaged].flatMap(changesOf);
  const dropIns = [dockerDropInPath(name), encrypted.dropIn];
  // A directory is removed only if this module may have left it empty: its drop-in was there, or an interrupted run has removed it.
  // Docker's is tried in any case: docker_bridge_opts has a drop-in there too, and leaves the directory.
  const mayHaveEmptied = (path: string): boolean =>
    path === dockerDropInPath(name) || observed.files.get(path) != null || observed.pendingReloads.length > 0;
  const emptied = dropIns.filter((path) => !files.has(path) && mayHaveEmptied(path)).map(removeDirectoryIfEmpty);
  return [
    ...(observed.managers.networkManager
      ? withReload("NetworkManager", networkManager, [RELOAD_NETWORK_MANAGER], observed)
      : networkManager),
    ...changesOf(stanzaPath(name)),
    ...interfacesChanges(name, desired, observed),
    // Without its stanza, ifupdown only takes the bridge off its list.
    ...(observed.upInIfupdown && provider !== "ifupdown"
      ? [{ subject: `ifupdown: ${name}`, before: "up\n", after: "absent\n", actions: [bringDown(name)] }]
      : []),
    ...(observed.managers.networkd === "off"
      ? networkd
      : withReload("systemd-networkd", networkd, networkdReload(name, desired, observed), observed)),
    ...(provider === "systemd" ? [] : unitLinkRemoval(name, observed)),
    ...withReload(
      "systemd",
      [encrypted.tunnelUnit, ...dropIns, unitPath(name)].flatMap(changesOf),
      [...emptied, DAEMON_RELOAD],
      observed,
    ),
    ...(files.has(encrypted.tunnelUnit)
      ? []
      : unitStateRemoval(basename(encrypted.tunnelUnit), observed.managers.tunnelUnitState)),
    ...(provider === "systemd"
      ? unitChanges(name, observed)
      : unitStateRemoval(unitName(name), observed.managers.ownUnitState)),
  ];
}

function networkdReload(name: string, desired: DesiredBridge | null, { bridge }: ObservedBridge): readonly Action[] {
  if (desired?.provider === "networkd") return reloadNetworkd(name);
  return desired !== null && bridge !== null ? release(desired) : RELOAD_NETWORKD;
}

/** This module may have created the drop-in's directory; others may have files in it. */
function removeDirectoryIfEmpty(dropIn: string): Action {
  const directory = dirname(dropIn);
  const named = ["find", dirname(directory), "-maxdepth", "1", "-name", basename(directory)];
  return runAction([...named, "-type", "d", "-empty", "-delete"]);
}

function desiredFiles(name: string, desired: DesiredBridge | null, { managers }: ObservedBridge): DesiredFile[] {
  if (desired === null) return [];
  const files = { ifupdown: ifupdownFiles, networkd: networkdFiles, systemd: systemdFiles }[desired.provider](desired);
  return [
    ...files,
    ...(managers.networkManagerAtBoot ? [unmanagedByNetworkManager(name, desired.wireguard !== null)] : []),
    ...(desired.provider === "systemd" && managers.networkdAtBoot
      ? [unmanagedByNetworkd(name, desired.wireguard !== null)]
      : []),
  ];
}

function interfacesChanges(name: string, desired: DesiredBridge | null, observed: ObservedBridge): Change[] {
  if (observed.interfaces === null) return [];
  const content = interfacesContent(name, desired?.provider === "ifupdown", observed);
  return fileChanges(observed.interfaces, { path: INTERFACES, content });
}

/**
 * Adds one reload of the program whose files change, after the last change. The file of pendingReloadPath() is written before
 * the first change and removed after the reload. If the run is interrupted in between, the next run finds the files as desired,
 * and this file shows it that the reload is pending.
 */
function withReload(
  program: string,
  changes: readonly Change[],
  reload: readonly Action[],
  { pendingReloads }: ObservedBridge,
): Change[] {
  const path = pendingReloadPath(program);
  const start: Action = { do: "write", path, content: "", mode: 0o600 };
  const finish: readonly Action[] = [...reload, { do: "remove", path }];
  if (changes.length === 0 && pendingReloads.includes(path)) {
    return [reloadOf(program, finish)];
  }
  return changes.map((change, index) => ({
    ...change,
    actions: [...(index === 0 ? [start] : []), ...change.actions, ...(index === changes.length - 1 ? finish : [])],
  }));
}
