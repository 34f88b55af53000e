import { UserError } from "../core/errors";
import type { Host } from "../core/host/host";
import { networkdPaths } from "./networkd";
import type { BridgeOptions } from "./options";

/** What makes the bridge at boot. */
export type Provider = "ifupdown" | "networkd";

/** What may manage this host's network. */
export interface Managers {
  /** Whether ifupdown is installed, with its /etc/network/interfaces. */
  readonly ifupdown: boolean;
  /** Whether systemd-networkd is off, runs, or runs and manages a device that is not of our making. */
  readonly networkd: "off" | "runs" | "manages";
  /** Whether NetworkManager runs. */
  readonly networkManager: boolean;
}

/** Looks at what manages the host's network, without a process: systemd keeps a link for each unit that is active. */
export function observeManagers(name: string, programs: ReadonlySet<string>, host: Host): Managers {
  const active = (unit: string): boolean => host.readlink(`/run/systemd/units/invocation:${unit}.service`) !== null;
  return {
    ifupdown: programs.has("ifup") && host.readdir("/etc/network").includes("interfaces"),
    networkd: active("systemd-networkd") ? (managesOthers(name, host) ? "manages" : "runs") : "off",
    networkManager: active("NetworkManager"),
  };
}

/** systemd-networkd's state of each device names the file that it is managed by, where it is. */
function managesOthers(name: string, host: Host): boolean {
  const own = networkdPaths(name);
  return host.readdir(LINKS).some((index) => {
    const file = /^NETWORK_FILE=(.*)$/m.exec(host.readText(`${LINKS}/${index}`) ?? "")?.[1];
    return file !== undefined && !own.includes(file);
  });
}

const LINKS = "/run/systemd/netif/links";

/** The provider that is asked for, or that manages this host. Throws a UserError where it does not run here. */
export function chooseProvider({ provider }: BridgeOptions, { ifupdown, networkd }: Managers): Provider {
  const chosen = provider === "auto" ? managing(ifupdown, networkd) : provider;
  if (chosen === null) {
    throw new UserError(
      "provider: neither ifupdown nor systemd-networkd manages this host, so nothing would make the bridge at boot; " +
        "install ifupdown (apt install ifupdown) or run systemd-networkd (systemctl enable --now systemd-networkd)",
    );
  }
  if (chosen === "ifupdown" && !ifupdown) {
    throw new UserError(
      "provider: there is no ifup with /etc/network/interfaces on this host; install ifupdown (apt install ifupdown) or choose networkd",
    );
  }
  if (chosen === "networkd" && networkd === "off") {
    throw new UserError(
      "provider: systemd-networkd does not run on this host; run it (systemctl enable --now systemd-networkd) or choose ifupdown",
    );
  }
  return chosen;
}

function managing(ifupdown: boolean, networkd: Managers["networkd"]): Provider | null {
  if (networkd === "manages") return "networkd";
  if (ifupdown) return "ifupdown";
  return networkd === "runs" ? "networkd" : null;
}
