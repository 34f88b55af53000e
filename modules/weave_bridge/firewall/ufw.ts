import { type Firewall, ownComment, ownRules, wordsOf } from "./opening";

/** Where ufw keeps its rules, each below a line with its parts (ufw, backend_iptables.py). */
export const UFW_RULES = ["/etc/ufw/user.rules", "/etc/ufw/user6.rules"];

/** Whether ufw is turned on, by the content of /etc/ufw/ufw.conf. */
export function isUfwOn(settings: string): boolean {
  return /^\s*ENABLED=["']?yes/im.test(settings);
}

/** Rules that accept packets: `### tuple ### allow udp 4789 0.0.0.0/0 any 192.168.50.12 in comment=HEX`. */
function parseRules(text: string): (Parts & { comment: string })[] {
  return [...text.matchAll(/^### tuple ### allow (\S+) (\S+) (\S+) \S+ (\S+) in(?:_(\S+))? comment=([0-9a-f]+)/gm)].map(
    ([, protocol = "", port = "", destination = "", source = "", device, hex = ""]) => ({
      ...{ protocol, port, destination, source, in: device, comment: Buffer.from(hex, "hex").toString() },
    }),
  );
}

/** ufw, with what iptables then does of it. It is told by its own command, which keeps the rules for the next boot. */
export function ufwFirewall(bridge: string, text: string, outcome: Firewall["outcome"]): Firewall {
  return {
    name: "ufw",
    outcome,
    own: ownRules(bridge, parseRules(text), (rule) => ["ufw", "delete", "allow", ...ufwRule(rule)]),
    add: (all) =>
      all.map((opening) => [
        ...["ufw", "prepend", "allow", ...ufwRule(opening)],
        ...["comment", ownComment(bridge) + opening.id],
      ]),
  };
}

/** What ufw matches of a packet. */
interface Parts {
  readonly in?: string | undefined;
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: string;
  readonly port?: string | number;
}

function ufwRule(parts: Parts): string[] {
  const { source, destination = "any", protocol = "any", port } = parts;
  const end = wordsOf(["in on", parts.in], ["from", source], ["to", destination.replace(ANY, "any")]);
  return protocol === "any" ? end : [...end, ...wordsOf(["port", port], ["proto", protocol])];
}

/** As ufw writes a destination that the rule does not name. */
const ANY = /^(0\.0\.0\.0|::)\/0$/;
