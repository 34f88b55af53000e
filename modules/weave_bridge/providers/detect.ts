import { UserError } from "../../core/errors";
import type { Host } from "../../core/host/host";
import { propertiesOfUnits } from "../../core/systemctl";
import { INTERFACES, type Managers, type ObservedBridge, type Provider } from "../observed";
import { type BridgeOptions, VXLAN_SUFFIX } from "../options";

/** Observes what manages the host's network. Throws a UserError if systemd does not answer. */
export function observeManagers(name: string, programs: ReadonlySet<string>, host: Host): Managers {
  const ifup = programs.has("ifup") ? implementationOfIfup(host) : null;
  const [networkdUnit, networkManagerUnit] = unitStates(programs, host);
  const networkd = networkdUnit?.runs ? (managesOthers(name, host) ? "manages" : "runs") : "off";
  return {
    ifupdown: ifup === "ifupdown" && host.readdir("/etc/network").includes("interfaces"),
    otherIfupdown: ifup === "ifupdown" ? null : ifup,
    networkd,
    networkdAtBoot: networkd !== "off" || (networkdUnit?.enabled ?? false),
    networkManager: networkManagerUnit?.runs ?? false,
  };
}

/** Debian's ifupdown is a program of its own at /sbin/ifup; the others put a link there. */
function implementationOfIfup(host: Host): string {
  const target = host.readlink("/sbin/ifup") ?? host.readlink("/usr/sbin/ifup");
  if (target === null) return "ifupdown";
  const program = target.replace(/.*\//, "");
  return program === "ifupdown" ? "ifupdown-ng" : program;
}

const UNITS = ["systemd-networkd.service", "NetworkManager.service"];
const RUNNING: ReadonlySet<string> = new Set(["active", "activating", "reloading"]);

/** The states of UNITS; none on a host that systemd has not booted (sd_booted(3)). */
function unitStates(programs: ReadonlySet<string>, host: Host): readonly { runs: boolean; enabled: boolean }[] {
  if (!programs.has("systemctl") || !host.readdir("/run/systemd").includes("system")) return [];
  return propertiesOfUnits(UNITS, ["ActiveState", "UnitFileState"], host).map((property) => ({
    runs: RUNNING.has(property("ActiveState")),
    enabled: property("UnitFileState") === "enabled",
  }));
}

/** Whether systemd-networkd configures a device other than the bridge and its VXLAN: index, name, type, two states. */
function managesOthers(name: string, host: Host): boolean {
  const { stdout } = host.run(["networkctl", "list", "--no-legend", "--no-pager"]);
  return stdout.split("\n").some((row) => {
    const [, device = "", , , setup = ""] = row.trim().split(/\s+/);
    return device !== name && device !== name + VXLAN_SUFFIX && ["configured", "configuring", "failed"].includes(setup);
  });
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
