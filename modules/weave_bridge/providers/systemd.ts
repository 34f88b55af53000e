import type { Action, Change, DesiredFile } from "../../core/change";
import { runAction } from "../../core/change";
import { DAEMON_RELOAD } from "../../core/systemctl";
import { renderSections } from "../../formats/systemd_ini";
import { bootCommands } from "../commands";
import type { DesiredBridge } from "../desired";
import type { Managers, ObservedBridge } from "../observed";
import { bridgeComment, ownFile, STARTED_BY, unitName, unitPath } from "../own_files";

/** The systemd unit that creates the bridge on a host that no other provider manages. */
export function systemdFiles(desired: DesiredBridge): DesiredFile[] {
  return [ownFile(unitPath(desired.name), () => renderUnit(desired))];
}

/**
 * The commands are those of ifupdown's file. They change nothing on a bridge that exists, so the unit can be started when another
 * provider has created it. The underlay need not be up. Firewalls are loaded before network-pre.target
 * (systemd.special(7)), and would remove the iptables rule if they were loaded later.
 */
function renderUnit(desired: DesiredBridge): string {
  const { create, setUp, connect, disconnect, remove } = bootCommands(desired, "keep");
  const mayFail = desired.wireguard ? "-" : "";
  const inShell = (command: string) => `/bin/sh -c "${command}"`;
  return renderSections(bridgeComment(desired), [
    [
      "Unit",
      [
        ["Description", `Container bridge ${desired.name}`],
        ["After", "network-pre.target"],
        ["Before", "network.target docker.service"],
        ["StartLimitIntervalSec", 0],
      ],
    ],
    [
      "Service",
      [
        ["Type", "oneshot"],
        ["RemainAfterExit", "yes"],
        ...[...create, ...setUp].map((command) => ["ExecStart", inShell(command)] as const),
        ...connect.map((command) => ["ExecStart", `${mayFail}${inShell(command)}`] as const),
        ...[...disconnect, ...remove].map((command) => ["ExecStop", `-${inShell(command)}`] as const),
      ],
    ],
    [
      "Install",
      [
        ["WantedBy", "multi-user.target"],
        ["RequiredBy", "docker.service"],
      ],
    ],
  ]);
}

/** Whether the unit creates a bridge that is missing. While it is active, a start does nothing, and a restart would restart Docker. */
export function createsByUnit({ provider }: Pick<DesiredBridge, "provider">, { ownUnitState }: Managers): boolean {
  return provider === "systemd" && ownUnitState !== "active";
}

/** Starts the unit, which creates the bridge. */
export function startUnit(name: string): Action {
  const unit = unitName(name);
  const log = ["journalctl", "--no-pager", "--output=cat", "--lines=20", `--unit=${unit}`];
  return { do: "run", argv: ["systemctl", "start", unit], timeout: 90, diagnose: log };
}

/** The changes by which the unit is started at boot and is active now, once its file is loaded. */
export function unitChanges(name: string, observed: ObservedBridge): Change[] {
  const unit = unitName(name);
  const { ownUnitState } = observed.managers;
  return [
    ...startedByChange(name, [...STARTED_BY.keys()], observed, ["systemctl", "reenable", unit]),
    ...(observed.bridge !== null && ownUnitState !== "active"
      ? [{ subject: `${unit}: state`, before: `${ownUnitState}\n`, after: "active\n", actions: [startUnit(name)] }]
      : []),
  ];
}

/** The change by which nothing starts the unit any more, before its file is removed. */
export function unitLinkRemoval(name: string, observed: ObservedBridge): Change[] {
  return startedByChange(name, [], observed, ["systemctl", "disable", unitName(name)]);
}

/**
 * The change by which systemd forgets one of this module's units, once its file is removed. Without the file, which systemd has to
 * notice first, it runs no commands: the bridge stays as it is.
 */
export function unitStateRemoval(unit: string, state: string): Change[] {
  if (state === "inactive") return [];
  const forget = runAction(["systemctl", state === "failed" ? "reset-failed" : "stop", unit]);
  return [{ subject: `${unit}: state`, before: `${state}\n`, after: "inactive\n", actions: [DAEMON_RELOAD, forget] }];
}

function startedByChange(
  name: string,
  desired: readonly string[],
  { unitStartedBy }: ObservedBridge,
  argv: readonly string[],
): Change[] {
  const describe = (units: readonly string[]) => `${units.join("\n") || "nothing"}\n`;
  const [before, after] = [describe(unitStartedBy), describe(desired)];
  if (before === after) return [];
  return [{ subject: `${unitName(name)}: started by`, before, after, actions: [runAction(argv)] }];
}
