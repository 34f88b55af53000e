import { UserError, withFullStop } from "../../core/errors";
import type { Host } from "../../core/host/host";
import { parseProperties } from "../../core/systemctl";
import { INTERFACES, type Managers, type ObservedBridge, type Provider } from "../observed";
import { type BridgeOptions, VXLAN_SUFFIX } from "../options";

/** Observes what manages the host's network. Throws a UserError if systemd does not answer. */
export function observeManagers(name: string, programs: ReadonlySet<string>, host: Host): Managers {
  const ifup = programs.has("ifup") ? implementationOfIfup(host) : null;
  const units = unitStates(programs, host);
  const runs = (unit: string): boolean => RUNNING.has(units.get(unit)?.get("ActiveState") ?? "");
  const networkd = runs(NETWORKD) ? (managesOthers(name, host) ? "manages" : "runs") : "off";
  return {
    ifupdown: ifup === "ifupdown" && host.readdir("/etc/network").includes("interfaces"),
    otherIfupdown: ifup === "ifupdown" ? null : ifup,
    networkd,
    networkdAtBoot: networkd !== "off" || units.get(NETWORKD)?.get("UnitFileState") === "enabled",
    networkManager: runs(NETWORK_MANAGER),
  };
}

/** Debian's ifupdown is a program of its own at /sbin/ifup; the others put a link there. */
function implementationOfIfup(host: Host): string {
  const target = host.readlink("/sbin/ifup") ?? host.readlink("/usr/sbin/ifup");
  if (target === null) return "ifupdown";
  const program = target.replace(/.*\//, "");
  return program === "ifupdown" ? "ifupdown-ng" : program;
}

const NETWORKD = "systemd-networkd.service";
const NETWORK_MANAGER = "NetworkManager.service";

const RUNNING: ReadonlySet<string> = new Set(["active", "activating", "reloading"]);

/** The two units' properties, by unit; none on a host that systemd has not booted (sd_booted(3)). */
function unitStates(programs: ReadonlySet<string>, host: Host): ReadonlyMap<string, ReadonlyMap<string, string>> {
  if (!programs.has("systemctl") || !host.readdir("/run/systemd").includes("system")) return new Map();
  const argv = ["systemctl", "show", "-p", "Id,ActiveState,UnitFileState", NETWORKD, NETWORK_MANAGER];
  const units = ask(argv, host)
    .split(/\n{2,}/)
    .map(parseProperties);
  return new Map(units.map((unit) => [unit.get("Id") ?? "", unit]));
}

/** Whether systemd-networkd configures a device other than the bridge and its VXLAN: index, name, type, two states. */
function managesOthers(name: string, host: Host): boolean {
  const rows = ask(["networkctl", "list", "--no-legend", "--no-pager"], host).split("\n");
  return rows.some((row) => {
    const [, device = "", , , setup = ""] = row.trim().split(/\s+/);
    return device !== name && device !== name + VXLAN_SUFFIX && ["configured", "configuring", "failed"].includes(setup);
  });
}

function ask(argv: readonly string[], host: Host): string {
  try {
    return host.run(argv).stdout;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `${withFullStop(error.message)} Check that systemd answers on this host (systemctl status), or restart the host.`,
    );
  }
}

/**
 * The provider that the option names, or with `auto` the one that manages this host. Throws a UserError if it doesn't run here, or
 * is another ifupdown than Debian's.
 */
export function chooseProvider(
  { provider }: BridgeOptions,
  { managers, danglingInterfaces }: Pick<ObservedBridge, "managers" | "danglingInterfaces">,
): Provider {
  const { ifupdown, otherIfupdown, networkd } = managers;
  const chosen = provider === "auto" ? managingProvider(managers) : provider;
  if (otherIfupdown !== null && (chosen === null || chosen === "ifupdown")) {
    throw new UserError(
      `provider: ifupdown must be Debian's own (found ${otherIfupdown} as this host's ifup, which reads the files in another ` +
        "way). Install Debian's (apt install ifupdown), or run systemd-networkd and set networkd.",
    );
  }
  if (chosen === null) {
    throw new UserError(
      "provider: needs ifupdown or systemd-networkd on this host, to create the bridge at boot (found neither). " +
        "Install ifupdown (apt install ifupdown), or run systemd-networkd (systemctl enable --now systemd-networkd).",
    );
  }
  if (chosen === "ifupdown" && !ifupdown) {
    throw new UserError(
      "provider: ifupdown must be installed on this host (found no ifup, or no /etc/network/interfaces). Install it (apt " +
        "install ifupdown), or set networkd.",
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
        "systemd-networkd), or set ifupdown.",
    );
  }
  return chosen;
}

function managingProvider({ ifupdown, networkd }: Managers): Provider | null {
  if (networkd === "manages") return "networkd";
  if (ifupdown) return "ifupdown";
  return networkd === "runs" ? "networkd" : null;
}
