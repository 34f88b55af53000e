import type { Host } from "../core/host";
import { Refusal } from "../core/refusal";
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
  const active = (unit: string): boolean => host.link(`/run/systemd/units/invocation:${unit}.service`) !== null;
  return {
    ifupdown: programs.has("ifup") && host.names("/etc/network").includes("interfaces"),
    networkd: active("systemd-networkd") ? (managesOthers(name, host) ? "manages" : "runs") : "off",
    networkManager: active("NetworkManager"),
  };
}

/** systemd-networkd's state of each device names the file that it is managed by, where it is. */
function managesOthers(name: string, host: Host): boolean {
  const own = networkdPaths(name);
  return host.names(LINKS).some((index) => {
    const file = /^NETWORK_FILE=(.*)$/m.exec(host.kernel(`${LINKS}/${index}`) ?? "")?.[1];
    return file !== undefined && !own.includes(file);
  });
}

const LINKS = "/run/systemd/netif/links";

/** The provider that is asked for, or that manages this host. Throws a Refusal where it does not run here. */
export function chooseProvider({ provider }: BridgeOptions, { ifupdown, networkd }: Managers): Provider {
  const chosen = provider === "auto" ? managing(ifupdown, networkd) : provider;
  if (chosen === null) {
    throw new Refusal(
      "provider: neither ifupdown nor systemd-networkd manages this host, so nothing would make the bridge at boot; " +
        "install ifupdown (apt install ifupdown) or run systemd-networkd (systemctl enable --now systemd-networkd)",
    );
  }
  if (chosen === "ifupdown" && !ifupdown) {
    throw new Refusal(
      "provider: there is no ifup with /etc/network/interfaces on this host; install ifupdown (apt install ifupdown) or choose networkd",
    );
  }
  if (chosen === "networkd" && networkd === "off") {
    throw new Refusal(
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
