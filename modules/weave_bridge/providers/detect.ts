import { UserError } from "../../core/errors";
import type { Host } from "../../core/host/host";
import { type Managers, networkdPaths, type Provider } from "../observed";
import type { BridgeOptions } from "../options";

/** Observes what manages the host's network. systemd keeps a link for each active unit, so it need not be asked. */
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

/** The provider that the option names, or with `auto` the one that manages this host. Throws a UserError if it doesn't run here. */
export function chooseProvider({ provider }: BridgeOptions, { ifupdown, networkd }: Managers): Provider {
  const chosen = provider === "auto" ? managingProvider(ifupdown, networkd) : provider;
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
  if (chosen === "networkd" && networkd === "off") {
    throw new UserError(
      "provider: systemd-networkd must run on this host (found it stopped). Run it (systemctl enable --now " +
        "systemd-networkd), or set ifupdown.",
    );
  }
  return chosen;
}

function managingProvider(ifupdown: boolean, networkd: Managers["networkd"]): Provider | null {
  if (networkd === "manages") return "networkd";
  if (ifupdown) return "ifupdown";
  return networkd === "runs" ? "networkd" : null;
}
