import type { Host } from "../../core/host/host";
import { parseProperties } from "../../core/systemctl";
import type { ObservedZones } from "./firewalld";
import { isUfwOn, UFW_RULES } from "./ufw";

/** The packet filters of this host. */
export interface ObservedFirewall {
  /** What iptables-save and ip6tables-save print of the table filter; null without iptables, and the latter without need. */
  readonly tables: { readonly ipv4: string | null; readonly ipv6: string | null };
  /** What `nft -j -t list ruleset` prints; null without nft. */
  readonly nft: string | null;
  /** The content of UFW_RULES; null unless ufw is on. */
  readonly ufw: string | null;
  /** Null unless firewalld runs. */
  readonly zones: ObservedZones | null;
}

/** What is read of the table filter: always, as the rule for frames between the bridge's ports is there. Throws a UserError if iptables fails. */
export function observeTable(program: "iptables-save" | "ip6tables-save", host: Host): string {
  return host.run([program, "-t", "filter"]).stdout;
}

/** Reads the rest. Only programs that are installed are asked, firewalld only if it runs. */
export function observeFirewall(
  ipv4: string | null,
  encrypted: boolean,
  firewalld: boolean,
  programs: ReadonlySet<string>,
  host: Host,
): ObservedFirewall {
  const settings = programs.has("ufw") ? host.readFile("/etc/ufw/ufw.conf") : null;
  return {
    tables: {
      ipv4,
      ipv6: encrypted && programs.has("ip6tables") ? observeTable("ip6tables-save", host) : null,
    },
    nft: programs.has("nft") ? host.run(["nft", "-j", "-t", "list", "ruleset"]).stdout : null,
    ufw: isUfwOn(settings?.content ?? "")
      ? UFW_RULES.map((path) => host.readFile(path)?.content ?? "").join("\n")
      : null,
    zones: firewalld ? observeZones(host) : null,
  };
}

function observeZones(host: Host): ObservedZones {
  const list = (...state: string[]): string => host.run(["firewall-cmd", ...state, "--list-all-zones"]).stdout;
  const settings = host.readFile("/etc/firewalld/firewalld.conf")?.content ?? "";
  return {
    live: list(),
    permanent: list("--permanent"),
    defaultZone: parseProperties(settings).get("DefaultZone") || "public",
  };
}
