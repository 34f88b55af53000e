import { type Change, difference } from "../../core/change";
import { parseIptablesFilter } from "../../formats/iptables_filter";
import { parseNftables } from "../../formats/nftables";
import { fateOf, iptablesPlace, nftPlaces, type OwnEnd } from "./filters";
import { firewalldPlace } from "./firewalld";
import type { ObservedFirewall } from "./observe";
import { fromPeer, type Opening, type Place } from "./opening";
import { ufwPlace } from "./ufw";

export interface FirewallPlan {
  readonly changes: readonly Change[];
  readonly warnings: readonly string[];
  /** Shell commands that add this module's rules at boot, where nothing else keeps them. */
  readonly boot: readonly string[];
}

/** Nothing is read, changed or said. */
export const NO_FIREWALL: FirewallPlan = { changes: [], warnings: [], boot: [] };

/** What packets have to pass on this host, by the program that owns the rules there. */
export function placesOf(
  bridge: string,
  { tables, nft, ufw, zones }: ObservedFirewall,
  openings: readonly Opening[],
  end: OwnEnd,
): Place[] {
  const iptables = tables.ipv4 !== null;
  if (zones !== null) {
    const filter = nft === null ? null : parseNftables(nft, iptables);
    const fate: Place["fate"] = (opening) => (filter === null ? "unknown" : fateOf(filter, opening, end));
    return [firewalldPlace(bridge, zones, openings, end.device, fate)];
  }
  const filters = { ipv4: parseIptablesFilter(tables.ipv4 ?? ""), ipv6: parseIptablesFilter(tables.ipv6 ?? "") };
  const fate: Place["fate"] = (opening) => fateOf(filters[opening.family], opening, end);
  const owner =
    ufw !== null
      ? [ufwPlace(bridge, ufw, openings, fate)]
      : iptables
        ? [iptablesPlace(bridge, filters, openings, fate)]
        : [];
  return [...owner, ...(nft === null ? [] : nftPlaces(bridge, nft, iptables, openings, end))];
}

/**
 * Plans what places have to let pass. With `manage` what is closed is opened, and what this module has opened before and is not needed
 * any more is closed; otherwise all stays as it is, and a warning names what is closed. Who has opened what is open does not matter.
 */
export function planFirewall(places: readonly Place[], manage: boolean): FirewallPlan {
  const plans = places.map((place): FirewallPlan => {
    const { name, openings, fate, own, boot, warning } = place;
    const ids = openings.map(({ id }) => id);
    const present = own.map(({ id }) => id);
    const stale = manage ? own.filter(({ id }) => !ids.includes(id)) : [];
    const closed = openings.filter((opening) => !present.includes(opening.id) && fate(opening) !== "accept");
    const added = manage ? closed : [];
    const missing = manage ? [] : closed.filter((opening) => fate(opening) === "drop");
    const after = [...own.filter((rule) => !stale.includes(rule)), ...added].map(({ id }) => id);
    return {
      changes: difference(`firewall: ${name}`, listed(present), listed(after), [
        ...(added.length > 0 ? place.add(added) : []),
        ...stale.flatMap(({ remove }) => remove),
      ]),
      warnings: [...(missing.length > 0 ? [describeMissing(place, missing)] : []), ...(warning ? [warning] : [])],
      boot: boot ? openings.filter(({ id }) => after.includes(id)).map(boot) : [],
    };
  });
  return {
    changes: plans.flatMap(({ changes }) => changes),
    warnings: plans.flatMap(({ warnings }) => warnings),
    boot: plans.flatMap(({ boot }) => boot),
  };
}

const listed = (ids: readonly string[]): string => [...new Set(ids)].sort().join("\n") || "none";

function describeMissing(place: Place, missing: readonly Opening[]): string {
  const commands = place.add(missing).map((argv) => argv.map(quoted).join(" "));
  return (
    `firewall: ${place.name} must let pass what the network needs (found that it drops ` +
    `${missing.map(({ description }) => description).join(", ")}). Set I(firewall): manage, or run: ${commands.join("; ")}.`
  );
}

const quoted = (word: string): string => (word.includes(" ") ? `'${word}'` : word);

/** The warning about a VXLAN that all of the Internet can send frames into. Null if its port is closed, or the address is a private one. */
export function exposureOf(places: readonly Place[], address: string, port: number): string | null {
  const stranger = fromPeer(STRANGER, "udp", port);
  const isClosed = places.some(
    ({ openings, fate }) => openings.some((opening) => opening.port !== undefined) && fate(stranger) !== "accept",
  );
  if (PRIVATE.test(address) || isClosed) return null;
  return (
    `firewall: UDP port ${port} must be closed to all but the peers (found ${address}, a public address, without a firewall that closes it). ` +
    "Close it, or set I(password)."
  );
}

/** An address that has no special purpose. Nothing is sent to it. */
const STRANGER = "1.1.1.1";

/** Networks that nobody reaches from the Internet (RFC 1918, RFC 3927, RFC 6598). */
const PRIVATE = /^(10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;
