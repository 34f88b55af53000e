import { type Action, type Change, fileChanges, type WantedFile } from "../core/change";
import { INTERFACES, ifupdownFiles, interfacesContent, stanzaPath } from "./ifupdown";
import { RELOAD_NETWORK_MANAGER, unmanagedFile, unmanagedPath } from "./network_manager";
import {
  dockerDropInPath,
  networkdFiles,
  networkdPaths,
  RELOAD_NETWORKD,
  RELOAD_SYSTEMD,
  REMOVE_DROP_IN_FOLDER,
  reloadNetworkd,
} from "./networkd";
import type { ObservedBridge } from "./observe";
import type { WantedBridge } from "./wanted";

/** The files that this module may make for a bridge of this name, whatever the provider. */
export function ownPaths(name: string): string[] {
  return [unmanagedPath(name), stanzaPath(name), ...networkdPaths(name), dockerDropInPath(name)];
}

/**
 * What is to change in files so that the next boot makes the bridge as it is wanted, or none where that is null. A file of
 * another provider goes, as two would make the bridge twice.
 */
export function bootChanges(name: string, wanted: WantedBridge | null, observed: ObservedBridge): Change[] {
  const files = new Map(wantedFiles(name, wanted, observed).map((file) => [file.path, file]));
  const changesOf = (path: string): Change[] =>
    fileChanges(observed.files.get(path) ?? null, files.get(path) ?? { path, content: null });

  const networkd = wanted?.provider === "networkd" ? reloadNetworkd(name) : RELOAD_NETWORKD;
  return [
    ...followed(changesOf(unmanagedPath(name)), observed.managers.networkManager ? [RELOAD_NETWORK_MANAGER] : []),
    ...changesOf(stanzaPath(name)),
    ...interfacesChanges(name, wanted, observed),
    ...followed(networkdPaths(name).flatMap(changesOf), observed.managers.networkd === "off" ? [] : networkd),
    ...followed(
      changesOf(dockerDropInPath(name)),
      files.has(dockerDropInPath(name)) ? RELOAD_SYSTEMD : [REMOVE_DROP_IN_FOLDER, ...RELOAD_SYSTEMD],
    ),
  ];
}

function wantedFiles(name: string, wanted: WantedBridge | null, { managers }: ObservedBridge): WantedFile[] {
  if (wanted === null) return [];
  const files = { ifupdown: ifupdownFiles, networkd: networkdFiles }[wanted.provider](wanted);
  return managers.networkManager ? [unmanagedFile(name), ...files] : files;
}

function interfacesChanges(name: string, wanted: WantedBridge | null, observed: ObservedBridge): Change[] {
  if (observed.interfaces === null) return [];
  const content = interfacesContent(name, wanted?.provider === "ifupdown", observed);
  return fileChanges(observed.interfaces, { path: INTERFACES, content });
}

/** What is to be done once after several files, at the last of them that changes. */
function followed(changes: readonly Change[], actions: readonly Action[]): Change[] {
  return changes.map((change, index) =>
    index === changes.length - 1 ? { ...change, actions: [...change.actions, ...actions] } : change,
  );
}
