import { orNull } from "../../core/errors";
import type { Host } from "../../core/host/host";
import type { ObservedFirewalld } from "./firewalld";
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
  readonly firewalld: ObservedFirewalld | null;
}

/** Reads all packet filters but iptables' table filter, which `ipv4` has. Only installed programs are run, and only files of firewalld and ufw are read. */
export function observeFirewall(
  ipv4: string | null,
  encrypted: boolean,
  firewalld: boolean,
  programs: ReadonlySet<string>,
  host: Host,
): ObservedFirewall {
  // A kernel without IPv6 or nftables has no such rules, and an nft without JSON is not asked for more.
  const read = (...argv: readonly [string, ...string[]]): string | null => {
    const output = programs.has(argv[0]) ? orNull(() => host.run(argv, { mayFail: true })) : null;
    return output?.status === 0 ? output.stdout : null;
  };
  const settings = programs.has("ufw") ? host.readFile("/etc/ufw/ufw.conf") : null;
  return {
    tables: { ipv4, ipv6: encrypted ? read("ip6tables-save", "-t", "filter") : null },
    nft: jsonIn(read("nft", "-j", "-t", "list", "ruleset")),
    ufw: isUfwOn(settings?.content ?? "")
      ? UFW_RULES.map((path) => host.readFile(path)?.content ?? "").join("\n")
      : null,
    firewalld: firewalld ? observeFirewalld(host) : null,
  };
}

/** The JSON in the output of nft, which may print warnings before it. */
const jsonIn = (text: string | null): string | null => /^\{"nftables": ?\[[\s\S]*\]\}$/m.exec(text ?? "")?.[0] ?? null;

function observeFirewalld(host: Host): ObservedFirewalld {
  const settings = host.readFile("/etc/firewalld/firewalld.conf")?.content ?? "";
  const files = host.readdir(ZONES).filter((file) => file.endsWith(".xml"));
  return {
    zones: new Map(
      files.map((file) => [file.slice(0, -".xml".length), host.readFile(`${ZONES}/${file}`)?.content ?? ""]),
    ),
    defaultZone: [...settings.matchAll(/^DefaultZone=(\S+)/gm)].at(-1)?.[1] ?? "public",
  };
}

const ZONES = "/etc/firewalld/zones";
