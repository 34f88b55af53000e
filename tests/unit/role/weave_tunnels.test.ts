import { suite } from "uvu";
import * as assert from "uvu/assert";
import { between, createFindings, type Findings, type FoundHost } from "../support/findings";
import { callPlugin, renderPage } from "../support/python";

/** weave_tunnels.py, and what the table, the problems and the report of verify.yml make of it. */
const test = suite("the tunnels of verify.yml");

interface Tunnels extends Findings {
  readonly tunnels: readonly { from: string; to: string; endpoint: string; handshake: number | null; words: string }[];
  readonly faults: Readonly<Record<string, string>>;
}
interface Wireguard {
  readonly key?: string;
  readonly port?: number;
  readonly peers?: readonly Readonly<Record<string, unknown>>[];
}
type Encrypted = FoundHost & { readonly datapath: { readonly local: string; readonly wireguard: Wireguard } };

const tunnelsOf = (found: Findings): Tunnels => callPlugin("weave_tunnels", "add_tunnels", [found]);
const tableOf = (found: Findings): readonly string[] =>
  callPlugin("weave_printed_table", "render_printed_table", [found, "weave_servers"]);
const problemsOf = (found: Findings): readonly string[] => callPlugin("weave_problems", "list_problems", [found, true]);
const APART = createFindings({ hosts: 3, blocked: between(1, 2), encrypted: true });

/** The same with another datapath of the second host, as its own probe reports it. */
function second(change: (datapath: Encrypted["datapath"]) => object): Tunnels {
  const hosts = APART.hosts.map((host) =>
    host.name === "docker2" ? { ...host, datapath: change((host as Encrypted).datapath) } : host,
  );
  return tunnelsOf({ ...APART, hosts });
}
const wireguardOf2 = (change: (wireguard: Wireguard) => object): Tunnels =>
  second((datapath) => ({ ...datapath, wireguard: change(datapath.wireguard) }));

/** What is said of the first two hosts, by the problems as well. */
function faultOf(found: Tunnels): string {
  const fault = found.faults["docker1 docker2"] ?? "";
  assert.is(problemsOf(found).filter((line) => line === `docker1 and docker2: ${fault}`).length, 1, fault);
  return fault;
}

test("each tunnel has its peer's name, endpoint, last handshake and traffic", () => {
  const { tunnels, hosts } = tunnelsOf(APART);
  assert.equal(tunnels.map(({ from, to, endpoint, words }) => `${from} ${to} ${endpoint} ${words}`).slice(0, 2), [
    "docker1 docker2 192.168.50.2:51820 no handshake, 0 B received, 1.5 kB sent",
    "docker1 docker3 192.168.50.3:51820 last handshake 44 s ago, 13.0 MB received, 765.4 kB sent",
  ]);
  assert.equal((hosts[0] as Encrypted & { datapath: { peers: unknown } }).datapath.peers, ["docker2", "docker3"]);
});

test("a peer that gave no answer, or is in no inventory, has its name or its address on the underlay", () => {
  const { tunnels } = tunnelsOf(createFindings({ hosts: 3, off: [3], encrypted: true }));
  assert.equal(
    tunnels.map(({ from, to }) => `${from} ${to}`),
    ["docker1 docker2", "docker1 docker3", "docker2 docker1", "docker2 docker3"],
  );
  const [first, another] = tunnelsOf(createFindings({ hosts: 3, encrypted: true })).hosts;
  const without = tunnelsOf({ ...APART, hosts: [first, another] as FoundHost[] });
  assert.is(without.tunnels[1]?.to, "192.168.50.3");
});

test("a missing handshake is named with its likeliest cause", () => {
  assert.match(
    faultOf(tunnelsOf(APART)),
    /^must have a recent WireGuard handshake \(found none, between 192\.168\.50\.1 and 192\.168\.50\.2\)\. Open UDP port 51820 /,
  );
  const changed: readonly (readonly [found: Tunnels, says: RegExp])[] = [
    [
      wireguardOf2((is) => ({ ...is, port: 51821 })),
      /^must use the same UDP port for WireGuard \(found 51820 and 51821\)/,
    ],
    [
      wireguardOf2((is) => ({ ...is, key: "OTHER=" })),
      /^must have the same password \(found that docker1 has a different key for docker2 than docker2 itself\)/,
    ],
    [
      second((is) => ({ ...is, local: "fe80::99", wireguard: { ...is.wireguard, key: "OTHER=" } })),
      /^must know each other by the same address \(found that docker1 knows docker2 as 192\.168\.50\.2, but docker2 identifies itself by another address\)\. .*weave_wireguard_identity of docker2/,
    ],
    [
      wireguardOf2((is) => ({ ...is, peers: [] })),
      /^must know each other \(found that docker1 is not a peer of docker2\)\. Run the role on docker2/,
    ],
    [second(({ wireguard: _, ...is }) => is), /^must both be encrypted \(found that docker1 is, and docker2 is not\)/],
    [
      wireguardOf2(({ peers: _, key: __, port: ___ }) => ({ state: "up" })),
      /^must have a recent WireGuard handshake \(found none/,
    ],
  ];
  for (const [found, says] of changed) assert.match(faultOf(found), says);
});

test("hosts with a handshake, unencrypted, off, or by the router have no fault", () => {
  assert.equal(Object.keys(tunnelsOf(APART).faults), ["docker1 docker2"]);
  const router = (): object => ({ datapath: { kind: "router", port: 6783, state: "up" } });
  for (const made of [{}, { off: [2], encrypted: true }, { more: router }]) {
    assert.equal(tunnelsOf(createFindings({ hosts: 3, ...made })).faults, {});
  }
  // The paths may be blocked all the same, and what is between the hosts then carries WireGuard.
  const blocked = createFindings({ hosts: 2, blocked: between(1, 2) });
  const { hosts } = createFindings({ hosts: 2, encrypted: true });
  assert.match(problemsOf(tunnelsOf({ ...blocked, hosts })).join("\n"), "Open UDP port 51820 in both directions");
});

test("a device that is down is named", () => {
  const down = wireguardOf2((is) => ({ ...is, state: "down" }));
  assert.match(
    problemsOf(down)[0] ?? "",
    /^docker2: WireGuard's device weave-wg must be up \(found it down\)\. Run the role on it/,
  );
});

test("the table tells each of a few tunnels, and of many those without a handshake", () => {
  const few = tableOf(tunnelsOf(APART)).join("\n");
  assert.match(few, "WireGuard encrypts the traffic between hosts.");
  assert.match(few, "docker2 to docker1 at 192.168.50.1:51820: no handshake, 0 B received, 1.5 kB sent.");
  assert.match(few, "docker3 to docker1 at 192.168.50.1:51820: last handshake 44 s ago");
  const many = tableOf(tunnelsOf(createFindings({ hosts: 9, blocked: between(1, 2), encrypted: true })));
  assert.equal(
    many.filter((line) => line.includes(":51820")),
    ["docker1 to docker2", "docker2 to docker1"].map(
      (names, index) => `${names} at 192.168.50.${2 - index}:51820: no handshake, 0 B received, 1.5 kB sent.`,
    ),
  );
  const partly = tableOf(second(({ wireguard: _, ...is }) => is)).join("\n");
  assert.match(partly, "WireGuard encrypts the traffic between hosts, but not on docker2.");
});

test("the report draws encrypted pairs, and has a row for each tunnel", () => {
  const page = renderPage(APART);
  assert.match(page, 'class="link encrypted"');
  assert.match(page, "all paths work, encrypted by WireGuard");
  assert.match(page, '<td data-label="encrypted">WireGuard, port 51820</td>');
  assert.match(page, "× no handshake, 0 B received, 1.5 kB sent");
  assert.match(page, '<td data-label="tunnels to">2 of 2</td>');
  const clear = renderPage(createFindings({ hosts: 3 }));
  assert.match(clear, '<td data-label="encrypted">no</td>');
  assert.not.match(clear, "Encrypted tunnels");
  const hostile = "<script>alert(1)</script>";
  const marked = second((is) => ({ ...is, wireguard: { ...is.wireguard, port: hostile, state: hostile } }));
  assert.not.match(renderPage(marked), hostile);
  const many = renderPage(createFindings({ hosts: 12, blocked: between(1, 2), encrypted: true }));
  assert.match(many, "132 tunnels; these have had no handshake.");
});

test.run();
