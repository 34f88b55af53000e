import { basename } from "node:path";
import { UserError } from "../../core/errors";
import { matchesPattern } from "../../core/glob";
import type { Host } from "../../core/host/host";
import { isSystemdBooted, unitProperties } from "../../core/systemctl";
import { environmentValue } from "../../formats/environment_file";
import { INTERFACES } from "../../formats/interfaces";
import { ownDevices } from "../names";
import type { Managers, ObservedBridge, Provider } from "../observed";
import type { BridgeOptions } from "../options";
import { encryptedPaths, unitName, wireguardGoUnit } from "../own_files";

/** Observes what manages the host's network. Throws a UserError if systemd does not answer. */
export function observeManagers(name: string, programs: ReadonlySet<string>, host: Host): Managers {
  const ifup = programs.has("ifup") ? implementationOfIfup(host) : null;
  const systemd = programs.has("systemctl") && isSystemdBooted(host);
  const units: Partial<ReturnType<typeof unitStates>> = systemd ? unitStates(name, host) : {};
  const networkd = units.networkd?.runs ? (managesOthers(name, host) ? "manages" : "runs") : "off";
  return {
    systemd,
    ownUnitState: units.bridge?.state ?? "inactive",
    tunnelUnitState: units.tunnel?.state ?? "inactive",
    wireguardGoState: units.wireguardGo?.state ?? "inactive",
    ifupdown: ifup === "ifupdown" && host.readdir("/etc/network").includes("interfaces"),
    otherIfupdown: ifup === "ifupdown" ? null : ifup,
    whyIfupdownIsOff: ifup === "ifupdown" ? whyOff(name, units.networking?.fileState ?? null, host) : null,
    networkd,
    networkdAtBoot: networkd !== "off" || (units.networkd?.enabled ?? false),
    oldNetworkd: (units.networkd?.runs && units.networkd.isOld) ?? false,
    networkManager: units.networkManager?.runs ?? false,
    networkManagerAtBoot: (units.networkManager?.runs || units.networkManager?.enabled) ?? false,
    firewalld: units.firewalld?.runs ?? false,
  };
}

/** Debian's ifupdown is a program at /sbin/ifup; the others put a link there. */
function implementationOfIfup(host: Host): string {
  const target = host.readlink("/sbin/ifup") ?? host.readlink("/usr/sbin/ifup");
  if (target === null) return "ifupdown";
  const program = target.replace(/.*\//, "");
  return program === "ifupdown" ? "ifupdown-ng" : program;
}

/**
 * Why Debian's networking.service does not create the bridge at boot (`ifup -a`, interfaces(5)); null if it does, or without systemd
 * (`fileState` is null).
 */
function whyOff(name: string, fileState: string | null, host: Host): Managers["whyIfupdownIsOff"] {
  if (fileState !== null && !STARTED_AT_BOOT.has(fileState)) {
    return { found: `networking.service, which is ${fileState || "not there"}`, remedy: enableNetworking(fileState) };
  }
  const path = "/etc/default/networking";
  const settings = host.readFile(path)?.content ?? "";
  const value = (key: string): string => environmentValue(settings, key) ?? "";
  const remedy = "Remove it there";
  if (value("CONFIGURE_INTERFACES") === "no") return { found: `CONFIGURE_INTERFACES=no in ${path}`, remedy };
  const excluded = value("EXCLUDE_INTERFACES")
    .split(/[\s,]+/)
    .find((pattern) => pattern !== "" && matchesPattern(pattern, name));
  return excluded === undefined ? null : { found: `EXCLUDE_INTERFACES with ${excluded} in ${path}`, remedy };
}

/** How to have the unit started at boot, by its state as systemctl shows it; "" if there is no such unit. */
function enableNetworking(fileState: string): string {
  if (fileState === "") return "Reinstall it (apt install --reinstall ifupdown)";
  const enable = "systemctl enable networking";
  return `Run ${fileState.startsWith("masked") ? `systemctl unmask networking && ${enable}` : enable}`;
}

/** systemctl(1), is-enabled. A service of an init script is "generated". */
const STARTED_AT_BOOT: ReadonlySet<string> = new Set(["enabled", "enabled-runtime", "generated", "static", "alias"]);

const RUNNING: ReadonlySet<string> = new Set(["active", "activating", "reloading"]);

/** A unit as systemctl shows it. */
interface UnitState {
  readonly state: string;
  readonly fileState: string;
  readonly runs: boolean;
  readonly enabled: boolean;
  /** Whether systemd is older than 250, the first version with ExitType=. */
  readonly isOld: boolean;
}

/** The states of the units that manage networks and firewalls, and of this module's own. */
function unitStates(name: string, host: Host) {
  const units = {
    networkd: "systemd-networkd.service",
    networkManager: "NetworkManager.service",
    networking: "networking.service",
    bridge: unitName(name),
    tunnel: basename(encryptedPaths(name).tunnelUnit),
    wireguardGo: `${wireguardGoUnit(name)}.service`,
    firewalld: "firewalld.service",
  };
  const states = unitProperties(Object.values(units), ["ActiveState", "UnitFileState", "ExitType"], host).map(
    (property): UnitState => ({
      state: property("ActiveState"),
      fileState: property("UnitFileState"),
      runs: RUNNING.has(property("ActiveState")),
      enabled: property("UnitFileState") === "enabled",
      isOld: property("ExitType") === "",
    }),
  );
  const byName = Object.keys(units).map((unit, index) => [unit, states[index]]);
  return Object.fromEntries(byName) as Record<keyof typeof units, UnitState>;
}

/** Whether systemd-networkd configures a device other than the bridge and its tunnels: index, name, type, two states. */
function managesOthers(name: string, host: Host): boolean {
  const { stdout } = host.run(["networkctl", "list", "--no-legend", "--no-pager"]);
  return stdout.split("\n").some((row) => {
    const [, device = "", , , setup = ""] = row.trim().split(/\s+/);
    return !ownDevices(name).includes(device) && ["configured", "configuring", "failed"].includes(setup);
  });
}

/**
 * The provider that the option names, or with `auto` the one that manages this host's network. Throws a UserError if it is not
 * installed or does not run here, would not create the bridge at boot, or is another ifupdown than Debian's.
 */
export function chooseProvider(
  options: BridgeOptions,
  { managers, danglingInterfaces }: Pick<ObservedBridge, "managers" | "danglingInterfaces">,
): Provider {
  const { ifupdown, otherIfupdown, whyIfupdownIsOff, networkd, systemd } = managers;
  const chosen = options.provider === "auto" ? managingProvider(managers) : options.provider;
  if (otherIfupdown !== null && (chosen === null || chosen === "ifupdown")) {
    throw new UserError(
      `provider: ifupdown must be Debian's own (found ${otherIfupdown} as this host's ifup, which reads the files in another ` +
        "way). Install Debian's (apt install ifupdown), or set I(provider): systemd.",
    );
  }
  if (chosen === null) {
    throw new UserError(
      "provider: needs systemd or ifupdown on this host, to create the bridge at boot (found neither). " +
        "Install ifupdown (apt install ifupdown), or boot this host with systemd.",
    );
  }
  if (chosen === "systemd" && !systemd) {
    throw new UserError(
      "provider: systemd must have booted this host (found that it has not). Install ifupdown (apt install ifupdown) and set " +
        "I(provider): ifupdown, or boot this host with systemd.",
    );
  }
  if (chosen === "ifupdown" && !ifupdown) {
    throw new UserError(
      "provider: ifupdown must be installed on this host (found no ifup, or no /etc/network/interfaces). Install it (apt " +
        "install ifupdown), or set I(provider): systemd.",
    );
  }
  if (chosen === "ifupdown" && whyIfupdownIsOff !== null) {
    throw new UserError(
      `provider: ifupdown must create the bridge at boot (found ${whyIfupdownIsOff.found}). ` +
        `${whyIfupdownIsOff.remedy}, or set I(provider): systemd.`,
    );
  }
  if (chosen === "ifupdown" && danglingInterfaces !== null) {
    throw new UserError(
      `provider: ifupdown needs ${INTERFACES} (found a link to ${danglingInterfaces}, which does not exist). Create that file, ` +
        "or replace the link with one.",
    );
  }
  if (chosen === "networkd" && networkd === "off") {
    throw new UserError(
      "provider: systemd-networkd must run on this host (found it stopped). Run it (systemctl enable --now " +
        "systemd-networkd), or set I(provider): systemd.",
    );
  }
  if (chosen === "networkd" && managers.oldNetworkd) {
    throw new UserError(
      "provider: systemd-networkd must be of version 250 or newer (found an older one, which removes the bridge's address while it " +
        "applies a changed file). Set I(provider): systemd or auto.",
    );
  }
  return chosen;
}

/** Beside a systemd-networkd that is too old, the unit creates the bridge. */
function managingProvider({ ifupdown, whyIfupdownIsOff, networkd, oldNetworkd, systemd }: Managers): Provider | null {
  if (networkd === "manages") return oldNetworkd ? "systemd" : "networkd";
  if (ifupdown && (whyIfupdownIsOff === null || !systemd)) return "ifupdown";
  return systemd ? "systemd" : null;
}
