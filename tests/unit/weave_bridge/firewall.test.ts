import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ObservedFirewall } from "../../../modules/weave_bridge/firewall/observe";
import { openingsOf } from "../../../modules/weave_bridge/firewall/opening";
import { exposureOf, type FirewallPlan, placesOf, planFirewall } from "../../../modules/weave_bridge/firewall/plan";

const TUNNEL = { protocols: ["udp"], port: 4789, peers: ["192.168.50.12", "192.168.50.13"], inside: null };
const END = { device: "eth0", address: "192.168.50.11" };
const openings = (tunnel: object = {}) => openingsOf("weave", "10.2.0.1/16", "10.2.0.0/16", { ...TUNNEL, ...tunnel });
const NOTHING: ObservedFirewall = { tables: { ipv4: null, ipv6: null }, nft: null, ufw: null, zones: null };

const table = (rules: readonly string[], policy = "DROP"): string =>
  ["*filter", `:INPUT ${policy} [0:0]`, `:FORWARD ${policy} [0:0]`, ...rules, "COMMIT", ""].join("\n");
const iptables = (...rules: string[]): ObservedFirewall => ({ ...NOTHING, tables: { ipv4: table(rules), ipv6: null } });
const plan = (observed: ObservedFirewall, manage = true, tunnel: object = {}): FirewallPlan =>
  planFirewall(placesOf("weave", observed, openings(tunnel), END), manage);
const commands = ({ changes }: FirewallPlan): string[] =>
  changes.flatMap(({ actions }) => actions.map((action) => ("argv" in action ? action.argv.join(" ") : "")));

const PEER = (n: number): string =>
  `INPUT -s 192.168.50.${n} -p udp -m udp --dport 4789 -m comment --comment weave_bridge/weave/udp/4789/192.168.50.${n} -j ACCEPT`;
const HOST =
  "INPUT -s 10.2.0.0/16 -d 10.2.0.1 -i weave -m comment --comment weave_bridge/weave/host/10.2.0.1 -j ACCEPT";
/** As iptables-save prints them (1.8.9). */
const saved = (rule: string): string => `-A ${rule.replace(/(-[sd] [\d.]+) /g, "$1/32 ")}`;

test("a host without a firewall needs nothing", () => {
  for (const observed of [NOTHING, { ...NOTHING, tables: { ipv4: table([], "ACCEPT"), ipv6: null } }])
    assert.equal(plan(observed), { changes: [], warnings: [], boot: [] });
});

test("iptables that drops: manage adds a rule for each peer and for containers, now and at boot", () => {
  const made = plan(iptables("-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"));
  assert.equal(
    commands(made),
    [PEER(12), PEER(13), HOST].map((rule) => `iptables -w -I ${rule}`),
  );
  assert.is(made.boot[0], `iptables -w -C ${PEER(12)} 2>/dev/null || iptables -w -I ${PEER(12)} || true`);
  const again = plan(iptables(saved(PEER(12)), saved(PEER(13)), saved(HOST)));
  assert.equal(again, { changes: [], warnings: [], boot: made.boot });
});

test("check changes nothing and names what is dropped, with the commands", () => {
  const { changes, warnings, boot } = plan(iptables(), false);
  assert.equal([changes, boot], [[], []]);
  assert.is(warnings.length, 1);
  assert.match(
    warnings[0] ?? "",
    /^firewall: iptables must let .*\(found that it drops UDP port 4789 from 192\.168\.50\.12, UDP port 4789 from 192\.168\.50\.13, traffic of containers to 10\.2\.0\.1\)\. Set I\(firewall\): manage, or run: iptables -w -I INPUT/,
  );
});

test("check leaves what manage has opened, also at boot", () => {
  const own = iptables(saved(PEER(12)), saved(PEER(99)));
  const { changes, boot } = plan(own, false);
  assert.equal([changes.length, boot.length], [0, 1]);
});

test("a peer that is gone is closed, and another's rule stays and counts as open", () => {
  const other = "-A INPUT -s 192.168.50.0/24 -p udp -m multiport --dports 4789,6000:6010 -j ACCEPT";
  const made = plan(iptables(other, saved(PEER(99)), saved(HOST)));
  assert.equal(commands(made), [`iptables -w -D ${saved(PEER(99)).slice(3)}`]);
  const absent = planFirewall(placesOf("weave", iptables(other, saved(PEER(12)), saved(HOST)), [], END), true);
  assert.equal(
    commands(absent),
    [PEER(12), HOST].map((rule) => `iptables -w -D ${saved(rule).slice(3)}`),
  );
});

for (const [what, rules, closed] of [
  ["another port", ["-A INPUT -p udp -m udp --dport 4788 -j ACCEPT"], true],
  ["another device", ["-A INPUT -i eth1 -j ACCEPT"], true],
  ["all but a network", ["-A INPUT ! -s 10.0.0.0/8 -j ACCEPT"], false],
  ["a chain that returns", ["-A INPUT -j MINE", "-A MINE -s 192.168.50.0/24 -j RETURN", "-A MINE -j ACCEPT"], true],
  ["a chain that accepts", ["-A INPUT -j MINE", "-A MINE -p udp -j ACCEPT"], false],
  ["a log before it", ['-A INPUT -j LOG --log-prefix "a b "', "-A INPUT -p udp -j ACCEPT"], false],
  ["a set that is not read", ["-A INPUT -m set --match-set peers src -j ACCEPT"], false],
  ["a drop of a set", ["-A INPUT -m set --match-set bad src -j DROP", "-A INPUT -p udp -j ACCEPT"], false],
] as const) {
  test(`iptables accepts ${what}: ${closed ? "the port is closed" : "no warning"}`, () => {
    const [warning = ""] = plan(iptables(...rules), false).warnings;
    assert.is(warning.includes("UDP port 4789"), closed);
  });
}

test("ufw is told by its own command, and its rules are known by their comments", () => {
  // Seen with ufw 0.36.2: what `ufw prepend allow …` and `ufw allow 22/tcp` leave in user.rules.
  const tuple = (comment: string): string => `comment=${Buffer.from(comment).toString("hex")}\n`;
  const ufw = `### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n### tuple ### allow udp 4789 0.0.0.0/0 any 192.168.50.99 in ${tuple("weave_bridge/weave/udp/4789/192.168.50.99")}### tuple ### allow any any 10.2.0.1 any 10.2.0.0/16 in_weave ${tuple("weave_bridge/weave/host/10.2.0.1")}`;
  const made = plan({ ...iptables(), ufw });
  const peer = (n: number): string => `from 192.168.50.${n} to any port 4789 proto udp`;
  assert.equal(commands(made), [
    ...[12, 13].map((n) => `ufw prepend allow ${peer(n)} comment weave_bridge/weave/udp/4789/192.168.50.${n}`),
    `ufw delete allow ${peer(99)}`,
  ]);
  assert.equal(made.boot, []);
});

/** As `nft -j -t list ruleset` prints them (1.0.6). */
const nft = (...rules: object[]): string =>
  JSON.stringify({
    nftables: [
      { metainfo: { version: "1.0.6" } },
      ...["input", "forward"].map((hook) => ({
        chain: {
          ...{ family: "inet", table: "filter", name: hook, handle: 1, type: "filter", hook, prio: 0, policy: "drop" },
        },
      })),
      ...rules.map((rule, index) => ({
        rule: { family: "inet", table: "filter", chain: "input", handle: index + 2, ...rule },
      })),
    ],
  });
const match = (left: object, right: unknown): object => ({ match: { op: "==", left, right } });
const field = (protocol: string, name: string): object => ({ payload: { protocol, field: name } });

test("nftables' own chains get rules of their own, and the frames between the bridge's ports one in forward", () => {
  const vmap = {
    expr: [
      {
        vmap: {
          key: { ct: { key: "state" } },
          data: {
            set: [
              ["established", { accept: null }],
              ["invalid", { drop: null }],
            ],
          },
        },
      },
    ],
  };
  const made = plan({ ...NOTHING, nft: nft(vmap) });
  const rule = (chain: string, id: string): string => `${chain} accept comment weave_bridge/weave/${id}`;
  const input = [12, 13].map((n) =>
    rule(`inet filter input ip saddr 192.168.50.${n} udp dport 4789`, `udp/4789/192.168.50.${n}`),
  );
  const all = [
    ...input,
    rule("inet filter input iifname weave ip saddr 10.2.0.0/16 ip daddr 10.2.0.1", "host/10.2.0.1"),
    rule("inet filter forward iifname weave oifname weave", "frames"),
  ];
  assert.equal(
    commands(made),
    all.map((each) => `nft insert rule ${each}`),
  );
  assert.is(
    made.boot[0],
    `nft list chain inet filter input 2>/dev/null | grep -qw weave_bridge/weave/udp/4789/192.168.50.12 || nft insert rule ${input[0]} || true`,
  );
});

test("nftables' rules for networks and sets of ports are understood, and own ones removed by their handles", () => {
  const open = {
    expr: [
      match(field("ip", "saddr"), { prefix: { addr: "192.168.50.0", len: 24 } }),
      match(field("udp", "dport"), { set: [53, { range: [4000, 5000] }] }),
      { counter: { packets: 0, bytes: 0 } },
      { accept: null },
    ],
  };
  const own = { comment: "weave_bridge/weave/udp/4789/192.168.50.99", expr: [{ accept: null }] };
  const made = plan({
    ...NOTHING,
    nft: nft(open, { ...own, expr: [match(field("ip", "saddr"), "192.168.50.99"), { accept: null }] }),
  });
  const chains = commands(made).map((command) => command.replace(/ comment .*/, ""));
  assert.equal(chains, [
    "nft insert rule inet filter input iifname weave ip saddr 10.2.0.0/16 ip daddr 10.2.0.1 accept",
    "nft delete rule inet filter input handle 3",
    "nft insert rule inet filter forward iifname weave oifname weave accept",
  ]);
});

test("a match that is not understood may accept packets, but only those that have its header", () => {
  const accepting = (left: object): object => ({ expr: [match(left, 1), { accept: null }] });
  const warns = (left: object): boolean =>
    plan({ ...NOTHING, nft: nft(accepting(left)) }, false).warnings.some((warning) =>
      warning.includes("UDP port 4789"),
    );
  // firewalld 1.3.3 has such rules for every host.
  assert.ok(warns(field("icmpv6", "type")));
  assert.not(warns(field("udp", "length")));
  assert.not(warns(field("ether", "saddr")));
  assert.not(warns({ socket: { key: "mark" } }));
});

test("with encryption, what is inside WireGuard is opened on its device for IPv6", () => {
  const observed = { ...NOTHING, tables: { ipv4: table([]), ipv6: table([]) } };
  const all = commands(plan(observed, true, { port: 51820, inside: 4789 }));
  assert.match(all[0] ?? "", "--dport 51820");
  assert.is(
    all[2],
    "ip6tables -w -I INPUT -s fe80::/64 -i weave-wg -p udp -m udp --dport 4789 -m comment --comment weave_bridge/weave/udp/4789/weave-wg -j ACCEPT",
  );
});

test("firewalld gets rich rules in the underlay's zone, now and for its next start", () => {
  // As `firewall-cmd --list-all-zones` of 1.3.3 prints them.
  const zone = (name: string, interfaces: string, rules: readonly string[] = []): string =>
    [`${name} (active)`, "  target: default", `  interfaces: ${interfaces}`, "  sources: ", "  rich rules: "]
      .concat(rules.map((rule) => `\t${rule}`))
      .concat("", "")
      .join("\n");
  const listing = (...rules: string[]): string => zone("docker", "docker0") + zone("public", "eth0", rules);
  const observed = (live: string, permanent = live): ObservedFirewall => ({
    ...{ ...NOTHING, nft: nft(), zones: { live, permanent, defaultZone: "public" } },
  });
  const made = plan(observed(listing()));
  const [add = "", always = "", ...others] = commands(made);
  assert.match(
    add,
    /^firewall-cmd -q --zone=public --add-rich-rule=rule priority="-\d+" family="ipv4" source address="192/,
  );
  assert.is(always, add.replace("-q", "-q --permanent"));
  assert.equal(others, [], "Docker adds the bridge to its zone");
  assert.equal(made.warnings, []);
  const rules = add.split(" --add-rich-rule=").slice(1);
  assert.equal(commands(plan(observed(listing(...rules)))), []);
  // Only until firewalld starts again.
  assert.equal(commands(plan(observed(listing(...rules), listing()))), [add, always]);
  const absent = planFirewall(placesOf("weave", observed(listing(...rules)), [], END), true);
  assert.is(commands(absent).filter((command) => command.includes("--remove-")).length, 4);
  assert.match(
    plan(observed(zone("public", "eth0"))).warnings[0] ?? "",
    /Docker must have its zone in firewalld \(found none\)\. Restart Docker/,
  );
});

test("a VXLAN that is open to the Internet is named, one at a private address or behind a firewall is not", () => {
  const exposed = (address: string, observed: ObservedFirewall): boolean =>
    exposureOf(placesOf("weave", observed, openings(), END), address, 4789) !== null;
  assert.ok(exposed("192.0.2.1", NOTHING));
  assert.ok(exposed("192.0.2.1", iptables("-A INPUT -p udp -j ACCEPT")));
  assert.not(exposed("192.0.2.1", iptables()));
  for (const address of ["10.1.2.3", "172.31.0.1", "192.168.50.11", "100.64.0.1"])
    assert.not(exposed(address, NOTHING));
});

test.run();
