import { basename } from "node:path";
import { type DesiredFile, runAction } from "../../core/change";
import { readsFile, renderManualInterface, type Step, withoutSource, withSource } from "../../formats/interfaces";
import { bootCommands } from "../commands";
import type { DesiredBridge } from "../desired";
import type { ObservedBridge } from "../observed";
import { bridgeComment, INTERFACES_DIRECTORY, ownFile, stanzaPath } from "../own_files";

/** The pattern that Apollo's role added to /etc/network/interfaces. */
const SOURCE_PATTERN = `${INTERFACES_DIRECTORY}/*.cfg`;

/** The file from which ifupdown creates the bridge at boot. */
export function ifupdownFiles(desired: DesiredBridge): DesiredFile[] {
  return [ownFile(stanzaPath(desired.name), () => renderStanza(desired))];
}

/**
 * The desired content of /etc/network/interfaces: with a `source` line for the bridge's file if ifupdown is to create the
 * bridge (`byIfupdown`) and no line reads the file yet; otherwise without this module's line, unless it reads other files.
 */
export function interfacesContent(name: string, byIfupdown: boolean, observed: ObservedBridge): string {
  const content = observed.interfaces?.content ?? "";
  const path = stanzaPath(name);
  const others = observed.interfacesDirectory.some((other) => other.endsWith(".cfg") && other !== basename(path));
  if (!byIfupdown) {
    const left = withoutSource(content, path);
    return others ? left : withoutSource(left, SOURCE_PATTERN);
  }
  if (readsFile(content, path)) return content;
  // Apollo's pattern, unless it would activate other files that this host has not read until now.
  return withSource(content, others ? path : SOURCE_PATTERN);
}

/** Creates the bridge from its file. Forced, as ifupdown still lists a bridge as up that was deleted by hand. */
export function bringUp(name: string) {
  return runAction(["ifup", "--force", name], 60);
}

/** Takes a deleted bridge off ifupdown's list; the commands of its file may fail. */
export function bringDown(name: string) {
  return runAction(["ifdown", "--force", "--ignore-errors", name], 60);
}

function renderStanza(desired: DesiredBridge): string {
  const { create, setUp, connect, disconnect, remove } = bootCommands(desired, "replace");
  const tolerant = connect.map((command) => (command.endsWith("|| true") ? command : `${command} || true`));
  const up = [...setUp, ...(desired.wireguard ? tolerant : connect)];
  const phases = { "pre-up": create, "post-up": up, "pre-down": disconnect, "post-down": remove } as const;
  return renderManualInterface({
    comment: bridgeComment(desired),
    name: desired.name,
    steps: Object.entries(phases).flatMap(([phase, commands]) =>
      commands.map((command): Step => ({ phase: phase as keyof typeof phases, command })),
    ),
  });
}
