import { UserError } from "../../core/errors";
import type { Host } from "../../core/host/host";
import { type Managers, networkdPaths, type Provider } from "../observed";
import type { BridgeOptions } from "../options";

/** Observes what manages the host's network, without a process: systemd keeps a link for each active unit. */
export function observeManagers(name: string, programs: ReadonlySet<string>, host: Host): Managers {
  const active = (unit: string): boolean => host.readlink(`/run/systemd/units/invocation:${unit}.service`) !== null;
  return {
    ifupdown: programs.has("ifup") && host.readdir("/etc/network").includes("interfaces"),
    networkd: active("systemd-networkd") ? (managesOthers(name, host) ? "manages" : "runs") : "off",
    networkManager: active("NetworkManager"),
  };
}

/** systemd-networkd's state of each device names the .network file, if one matches. */
function managesOthers(name: string, host: Host): boolean {
  const own = networkdPaths(name);
  return host.readdir(LINKS).some((index) => {
    const file = /^NETWORK_FILE=(.*)$/m.exec(host.readText(`${LINKS}/${index}`) ?? "")?.[1];
    return file !== undefined && !own.includes(file);
  });
}

const LINKS = "/run/systemd/netif/links";

/** The provider that is asked for, or the one that manages this host. Throws a UserError if it doesn't run here. */
export function chooseProvider({ provider }: BridgeOptions, { ifupdown, networkd }: Managers): Provider {
  const chosen = provider === "auto" ? managingProvider(ifupdown, networkd) : provider;
  if (chosen === null) {
    throw new UserError(
      "provider: neither ifupdown nor systemd-networkd manages this host, so nothing would create the bridge at boot. " +
        "Install ifupdown (apt install ifupdown), or run systemd-networkd (systemctl enable --now systemd-networkd).",
    );
  }
  if (chosen === "ifupdown" && !ifupdown) {
    throw new UserError(
      "provider: ifupdown not found on this host (ifup and /etc/network/interfaces). Install it (apt install ifupdown), or " +
        "choose networkd.",
    );
  }
  if (chosen === "networkd" && networkd === "off") {
    throw new UserError(
      "provider: systemd-networkd does not run on this host. Run it (systemctl enable --now systemd-networkd), or choose " +
        "ifupdown.",
    );
  }
  return chosen;
}

function managingProvider(ifupdown: boolean, networkd: Managers["networkd"]): Provider | null {
  if (networkd === "manages") return "networkd";
  if (ifupdown) return "ifupdown";
  return networkd === "runs" ? "networkd" : null;
}
