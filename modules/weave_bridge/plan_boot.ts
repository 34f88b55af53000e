import { basename, dirname } from "node:path";
import { type Action, type Change, type DesiredFile, fileChanges, run } from "../core/change";
import type { DesiredBridge } from "./desired";
import {
  DOCKER_DROP_IN_DIRECTORY,
  dockerDropInPath,
  INTERFACES,
  networkdPaths,
  type ObservedBridge,
  pendingReloadPath,
  stanzaPath,
  unmanagedPath,
} from "./observed";
import { ifupdownFiles, interfacesContent } from "./providers/ifupdown";
import { RELOAD_NETWORK_MANAGER, unmanagedFile } from "./providers/network_manager";
import { networkdFiles, RELOAD_NETWORKD, reloadNetworkd } from "./providers/networkd";

/**
 * Plans the changes of the files that create the bridge at boot; `desired` is null if it is to be absent. The files of the
 * other provider are removed, as two would create the bridge twice.
 */
export function planBoot(name: string, desired: DesiredBridge | null, observed: ObservedBridge): Change[] {
  const files = new Map(desiredFiles(name, desired, observed).map((file) => [file.path, file]));
  const changesOf = (path: string): Change[] =>
    fileChanges(observed.files.get(path) ?? null, files.get(path) ?? { path, content: null });

  const networkManager = changesOf(unmanagedPath(name));
  const networkd = networkdPaths(name).flatMap(changesOf);
  const reload = desired?.provider === "networkd" ? reloadNetworkd(name) : RELOAD_NETWORKD;
  const hasDropIn = files.has(dockerDropInPath(name));
  return [
    ...(observed.managers.networkManager
      ? withReload("NetworkManager", networkManager, [RELOAD_NETWORK_MANAGER], observed)
      : networkManager),
    ...changesOf(stanzaPath(name)),
    ...interfacesChanges(name, desired, observed),
    ...(observed.managers.networkd === "off" ? networkd : withReload("systemd-networkd", networkd, reload, observed)),
    ...withReload(
      "systemd",
      changesOf(dockerDropInPath(name)),
      hasDropIn ? [RELOAD_SYSTEMD] : [REMOVE_EMPTY_DROP_IN_DIRECTORY, RELOAD_SYSTEMD],
      observed,
    ),
  ];
}

const RELOAD_SYSTEMD = run(["systemctl", "daemon-reload"]);

/** This module may have created the directory; others may have files in it. */
const REMOVE_EMPTY_DROP_IN_DIRECTORY = run([
  ...["find", dirname(DOCKER_DROP_IN_DIRECTORY), "-maxdepth", "1", "-name", basename(DOCKER_DROP_IN_DIRECTORY)],
  ...["-type", "d", "-empty", "-delete"],
]);

function desiredFiles(name: string, desired: DesiredBridge | null, { managers }: ObservedBridge): DesiredFile[] {
  if (desired === null) return [];
  const files = { ifupdown: ifupdownFiles, networkd: networkdFiles }[desired.provider](desired);
  return managers.networkManager ? [unmanagedFile(name), ...files] : files;
}

function interfacesChanges(name: string, desired: DesiredBridge | null, observed: ObservedBridge): Change[] {
  if (observed.interfaces === null) return [];
  const content = interfacesContent(name, desired?.provider === "ifupdown", observed);
  return fileChanges(observed.interfaces, { path: INTERFACES, content });
}

/**
 * Adds one reload of the program whose files change, after the last change. The file of pendingReloadPath() is written before
 * the first change and removed after the reload. If the run is interrupted in between, the next run finds the files as desired,
 * and this file tells it that the reload is pending.
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
    return [{ subject: `${program}: loaded files`, before: "outdated\n", after: "current\n", actions: finish }];
  }
  return changes.map((change, index) => ({
    ...change,
    actions: [...(index === 0 ? [start] : []), ...change.actions, ...(index === changes.length - 1 ? finish : [])],
  }));
}
