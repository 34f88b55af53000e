import { type Action, type Change, type DesiredFile, fileChanges } from "../core/change";
import type { DesiredBridge } from "./desired";
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

/** The files that this module may make for a bridge of this name, whatever the provider. */
export function ownPaths(name: string): string[] {
  return [unmanagedPath(name), stanzaPath(name), ...networkdPaths(name), dockerDropInPath(name)];
}

/**
 * What is to change in files so that the next boot makes the bridge as it is wanted, or none where that is null. A file of
 * another provider goes, as two would make the bridge twice.
 */
export function bootChanges(name: string, wanted: DesiredBridge | null, observed: ObservedBridge): Change[] {
  const files = new Map(wantedFiles(name, wanted, observed).map((file) => [file.path, file]));
  const changesOf = (path: string): Change[] =>
    fileChanges(observed.files.get(path) ?? null, files.get(path) ?? { path, content: null });

  const networkd = wanted?.provider === "networkd" ? reloadNetworkd(name) : RELOAD_NETWORKD;
  return [
    ...(observed.managers.networkManager
      ? reloaded("NetworkManager", changesOf(unmanagedPath(name)), [RELOAD_NETWORK_MANAGER], observed)
      : changesOf(unmanagedPath(name))),
    ...changesOf(stanzaPath(name)),
    ...interfacesChanges(name, wanted, observed),
    ...(observed.managers.networkd === "off"
      ? networkdPaths(name).flatMap(changesOf)
      : reloaded("systemd-networkd", networkdPaths(name).flatMap(changesOf), networkd, observed)),
    ...reloaded(
      "systemd",
      changesOf(dockerDropInPath(name)),
      files.has(dockerDropInPath(name)) ? RELOAD_SYSTEMD : [REMOVE_DROP_IN_FOLDER, ...RELOAD_SYSTEMD],
      observed,
    ),
  ];
}

function wantedFiles(name: string, wanted: DesiredBridge | null, { managers }: ObservedBridge): DesiredFile[] {
  if (wanted === null) return [];
  const files = { ifupdown: ifupdownFiles, networkd: networkdFiles }[wanted.provider](wanted);
  return managers.networkManager ? [unmanagedFile(name), ...files] : files;
}

function interfacesChanges(name: string, wanted: DesiredBridge | null, observed: ObservedBridge): Change[] {
  if (observed.interfaces === null) return [];
  const content = interfacesContent(name, wanted?.provider === "ifupdown", observed);
  return fileChanges(observed.interfaces, { path: INTERFACES, content });
}

/**
 * Files of a program that is to read them again, once, after the last of them that changes. A mark from before the first
 * until then tells the next run that this is still owed: the files don't.
 */
function reloaded(
  reader: string,
  changes: readonly Change[],
  reload: readonly Action[],
  { owedReloads }: ObservedBridge,
): Change[] {
  const path = reloadMark(reader);
  const mark: Action = { do: "write", path, content: "", mode: 0o600 };
  const done: readonly Action[] = [...reload, { do: "remove", path }];
  if (changes.length === 0 && owedReloads.includes(path)) {
    return [
      { subject: `${reader}, as it runs`, before: "with older files\n", after: "with its files\n", actions: done },
    ];
  }
  return changes.map((change, index) => ({
    ...change,
    actions: [...(index === 0 ? [mark] : []), ...change.actions, ...(index === changes.length - 1 ? done : [])],
  }));
}

/** In a folder that is empty after a boot, which reads all files anyhow. */
export const RELOAD_MARKS = "/run";
export const reloadMark = (reader: string) => `${RELOAD_MARKS}/weave_bridge.reload-${reader}`;
