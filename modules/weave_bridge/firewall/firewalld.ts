import type { Opening, Place } from "./opening";

/** What firewalld has for its zones, as `firewall-cmd --list-all-zones` prints it. */
export interface ObservedZones {
  readonly live: string;
  /** With --permanent: from its next start on. */
  readonly permanent: string;
  /** The zone of the devices that no zone names. */
  readonly defaultZone: string;
}

interface Zone {
  readonly name: string;
  readonly interfaces: readonly string[];
  readonly richRules: readonly string[];
}

function parseZones(text: string): Zone[] {
  return text.split(/\n\n+/).flatMap((part) => {
    const name = /^\S+/.exec(part)?.[0];
    if (name === undefined) return [];
    return [
      {
        name,
        interfaces: /^ {2}interfaces: (.*)$/m.exec(part)?.[1]?.split(" ") ?? [],
        richRules: [...part.matchAll(/^\s+(rule .*)$/gm)].map(([, rule = ""]) => rule),
      },
    ];
  });
}

/**
 * firewalld, as it is now and as it will be after its next start. The openings for other hosts are rich rules in the zone of their
 * packets; rich rules have no comments, so this module's are known by their priority.
 */
export function firewalldPlace(
  bridge: string,
  observed: ObservedZones,
  openings: readonly Opening[],
  underlay: string,
  fate: Place["fate"],
): Place {
  const states = [observed.live, observed.permanent].map(parseZones);
  const [live = []] = states;
  const start = `rule priority="${priorityOf(bridge)}" `;
  const [found = [], lasting = []] = states.map((zones) =>
    zones.flatMap(({ name, richRules }) =>
      richRules.filter((rule) => rule.startsWith(start)).map((rule) => `${name} ${rule}`),
    ),
  );
  const zoneOf = (opening: Opening): string =>
    live.find(({ interfaces }) => interfaces.includes(opening.in ?? underlay))?.name ?? observed.defaultZone;
  const entry = (opening: Opening): string => `${zoneOf(opening)} ${start}${richRule(opening)}`;
  const others = openings.filter((opening) => opening.in !== bridge);
  // What is open only now, or only from the next start on, is added again.
  const own = [...new Set([...found, ...lasting])].flatMap((each) => {
    const id = others.find((opening) => entry(opening) === each)?.id;
    const whole = found.includes(each) && lasting.includes(each);
    return id === undefined || whole ? [{ id: id ?? each, remove: byZone([each], "--remove-rich-rule") }] : [];
  });
  const isClosed = openings.some((opening) => opening.in === bridge && fate(opening) === "drop");
  return {
    ...{ name: "firewalld", openings: others, own, fate },
    add: (all) => byZone(all.map(entry), "--add-rich-rule"),
    warning: isClosed && !live.some(({ name }) => name === DOCKER_ZONE) ? NO_ZONE : null,
  };
}

/**
 * Docker's zone, which accepts all. Docker makes it when it starts under firewalld, adds the bridge that it uses, and does not start if
 * another zone has that (moby's libnetwork, firewalld.go). So the bridge's zone is left to Docker.
 */
const DOCKER_ZONE = "docker";

const NO_ZONE = `firewall: Docker must have its zone in firewalld (found none). Restart Docker, which makes it.`;

/** The commands for entries, each the name of a zone and a rule: for now, and from firewalld's next start on. */
function byZone(entries: readonly string[], option: string): (readonly string[])[] {
  const pairs = entries.map((entry) => /^(\S+) (.*)/.exec(entry) ?? []);
  return [...new Set(pairs.map(([, zone = ""]) => zone))].flatMap((zone) => {
    const rules = pairs.filter((pair) => pair[1] === zone).map((pair) => `${option}=${pair[2]}`);
    return [[], ["--permanent"]].map((state) => ["firewall-cmd", "-q", ...state, `--zone=${zone}`, ...rules]);
  });
}

/** Before all that has no priority or a positive one, another for each bridge. */
function priorityOf(bridge: string): number {
  return -1000 - Buffer.from(bridge).reduce((sum, byte) => (sum * 31 + byte) % 30000, 0);
}

/** After its priority, as `firewall-cmd --list-rich-rules` prints it. */
const richRule = ({ family, source, port, protocol }: Opening): string =>
  `family="${family}" source address="${source}" port port="${port}" protocol="${protocol}" accept`;
