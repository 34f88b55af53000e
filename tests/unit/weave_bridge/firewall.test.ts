import { test } from "uvu";
import * as assert from "uvu/assert";
import { firewalldHasForwardRule } from "../../../modules/weave_bridge/firewall/forward_rule";
import type { ObservedFirewall } from "../../../modules/weave_bridge/firewall/observe";
import { exposureOf, firewallsOf, planTraffic } from "../../../modules/weave_bridge/firewall/plan";
import { plan as bridgePlan } from "../../../modules/weave_bridge/plan";
import { fakeHost } from "../support/fake_host/fake_host";
import {
  absence,
  commands,
  ENDPOINT,
  field,
  firewalld,
  HOST,
  iptables,
  match,
  NOTHING,
  nft,
  PEER,
  plan,
  richRule,
  saved,
  table,
  traffic,
  UFW_CHAINS,
} from "./firewall_fixtures";
import { FRESH, router, steadyRouter } from "./fixtures";

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
    /^firewall: iptables must accept .*\(found that it drops UDP port 4789 from 192\.168\.50\.12, UDP port 4789 from 192\.168\.50\.13, traffic of containers to 10\.2\.0\.1\)\. Set I\(firewall\): manage, or run: iptables -w -I INPUT/,
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
  const absent = absence(iptables(other, saved(PEER(12)), saved(HOST)));
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
  ["what has a mask with gaps", ["-A INPUT -s 0.0.0.1/0.0.0.1 -j ACCEPT"], false],
  ["all but a port of the sender's", ["-A INPUT -p udp -m udp ! --sport 22 --dport 4789 -j ACCEPT"], false],
  ["what a program is asked about", ["-A INPUT -p udp -j NFQUEUE --queue-num 0 --queue-bypass"], false],
  ["a drop of a set", ["-A INPUT -m set --match-set bad src -j DROP", "-A INPUT -p udp -j ACCEPT"], false],
] as const) {
  test(`iptables accepts ${what}: ${closed ? "the port is closed" : "no warning"}`, () => {
    const [warning = ""] = plan(iptables(...rules), false).warnings;
    assert.is(warning.includes("UDP port 4789"), closed);
  });
}

test("a rule for one protocol of containers may be enough, so check does not warn of the others", () => {
  const [warning = ""] = plan(iptables("-A INPUT -i weave -p udp -m udp --dport 53 -j ACCEPT"), false).warnings;
  assert.not.match(warning, "traffic of containers");
  assert.match(commands(plan(iptables("-A INPUT -i weave -p udp -m udp --dport 53 -j ACCEPT"))).join(), HOST);
});

test("with another network, the rule for containers is another", () => {
  const old = saved(HOST).replace("10.2.0.0/16", "10.2.0.0/20").replace("10.2.0.1/16", "10.2.0.1/20");
  const made = commands(plan(iptables(saved(PEER(12)), saved(PEER(13)), old)));
  assert.equal(made.sort(), [`iptables -w -D ${old.slice(3)}`, `iptables -w -I ${HOST}`]);
});

test("ufw gets its rules by its own command, and they are identified by their comments", () => {
  // Seen with ufw 0.36.2: what `ufw prepend allow …` and `ufw allow 22/tcp` leave in user.rules.
  const tuple = (comment: string): string => `comment=${Buffer.from(comment).toString("hex")}\n`;
  const ufw = `### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n### tuple ### allow udp 4789 0.0.0.0/0 any 192.168.50.99 in ${tuple("weave_bridge/weave/udp/4789/192.168.50.99")}### tuple ### allow any any 10.2.0.1 any 10.2.0.0/16 in_weave ${tuple("weave_bridge/weave/host/10.2.0.1/16")}`;
  const made = plan({ ...iptables(...UFW_CHAINS, saved(HOST).replace("INPUT", "ufw-user-input")), ufw });
  const peer = (n: number): string => `from 192.168.50.${n} to any port 4789 proto udp`;
  assert.equal(commands(made), [
    ...[12, 13].map((n) => `ufw prepend allow ${peer(n)} comment weave_bridge/weave/udp/4789/192.168.50.${n}`),
    `ufw delete allow ${peer(99)}`,
  ]);
  assert.equal(made.boot, []);
});

test("nftables' own chains get rules, and the frames between the bridge's ports one in forward", () => {
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
    rule("inet filter input iifname weave ip saddr 10.2.0.0/16 ip daddr 10.2.0.1", "host/10.2.0.1/16"),
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

test("ranges, comparisons, and maps and jumps that are not understood may accept the packet", () => {
  const warns = (...expr: object[]): boolean =>
    plan({ ...NOTHING, nft: nft({ expr }) }, false).warnings.some((warning) => warning.includes("UDP port 4789"));
  const accept = { accept: null };
  const [saddr, dport] = [field("ip", "saddr"), field("udp", "dport")];
  assert.not(warns(match(saddr, { range: ["192.168.50.1", "192.168.50.99"] }), accept));
  assert.not(warns({ match: { op: ">=", left: dport, right: 1024 } }, accept));
  const states = { set: [["new", { accept: null }]] };
  assert.not(warns({ vmap: { key: { ct: { key: "state" } }, data: states } }));
  assert.not(warns({ vmap: { key: "@states", data: states } }));
  assert.not(warns({ queue: { num: 0, flags: "bypass" } }));
  assert.ok(warns(match(dport, 4788), accept));
});

test("with encryption, a rule for all link-local addresses is enough", () => {
  const ipv6 = table(["-A INPUT -s fe80::/10 -j ACCEPT"]);
  const observed = { ...NOTHING, tables: { ipv4: table([], "ACCEPT"), ipv6 } };
  const { warnings } = plan(observed, false, { port: 51820, inside: 4789 });
  assert.equal(warnings, []);
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

test("firewalld gets rich rules in the underlay's zone, for its next start and now", () => {
  const [permanent = "", add = "", ...others] = commands(plan(firewalld([], false)));
  const rule =
    /--zone=internal --add-rich-rule=rule priority="(-\d+)" family="ipv4" source address="192\.168\.50\.12" port port="4789" protocol="udp" accept --add-rich-rule=/;
  assert.match(add, rule);
  assert.is(permanent, add.replace("-q", "-q --permanent"));
  assert.equal(others, []);
  const [, priority = ""] = rule.exec(add) ?? [];

  const own = ["192.168.50.12", "192.168.50.13"].map((address) => richRule(address, priority));
  assert.equal(commands(plan(firewalld(own, true))), []);
  assert.equal(commands(plan(firewalld(own, false))), [permanent, add], "only from the next start on");
  const unread = plan({ ...firewalld(own.slice(0, 1), false), nft: null });
  assert.equal(commands(unread), []);
  assert.match(unread.warnings[0] ?? "", "firewall: nft must be installed");
  const stale = commands(plan(firewalld([...own, richRule("192.168.50.99", priority)], true)));
  assert.equal(stale, [
    ...["-q", "-q --permanent"].map(
      (words) =>
        `firewall-cmd ${words} --zone=internal --remove-rich-rule=rule priority="${priority}" family="ipv4" source address="192.168.50.99" port port="4789" protocol="udp" accept`,
    ),
  ]);
  assert.equal(commands(plan(firewalld([richRule("192.168.50.99", "-5")], true))), [], "a rule of the operator's");
  const absent = commands(absence(firewalld(own, true)));
  assert.equal(absent.length, 5);
  assert.ok(absent.includes("firewall-cmd -q --permanent --zone=docker --remove-interface=weave"));
});

test("a peer that a zone has by its network gets its rule in that zone", () => {
  const [table, name] = [{ family: "inet", table: "firewalld", handle: 9 }, "filter_INPUT_ZONES_SOURCE"];
  const network = match(field("ip", "saddr"), { prefix: { addr: "192.168.50.0", len: 24 } });
  const source = { rule: { ...table, chain: name, expr: [network, { goto: { target: "filter_IN_work" } }] } };
  const made = commands(plan(firewalld([], false, [{ chain: { ...table, name } }, source])));
  assert.equal(
    made.map((command) => /--zone=(\w+)/.exec(command)?.[1]),
    ["work", "work"],
  );
});

test("firewalld keeps the bridge in Docker's zone, as at boot Docker may start before firewalld answers", () => {
  const others = firewalld([], true);
  const without = (drops: boolean, zone = true): ObservedFirewall => {
    const accept = [match({ meta: { key: "iifname" } }, "weave"), { accept: null }];
    const byDocker = ["filter_INPUT", "filter_FORWARD"].map((chain) => ({
      rule: { family: "inet", table: "firewalld", handle: 9, chain, expr: accept },
    }));
    const zones = new Map(zone ? [["docker", '<zone target="ACCEPT">\n</zone>\n']] : []);
    return { ...firewalld([], true, drops ? [] : byDocker), firewalld: { defaultZone: "public", zones } };
  };
  const added = ["-q --permanent", "-q"].map((words) => `firewall-cmd ${words} --zone=docker --add-interface=weave`);
  for (const drops of [true, false]) {
    assert.equal(commands(plan(without(drops))), added);
    assert.equal(plan(without(drops)).warnings, []);
    assert.is(
      plan(without(drops), false)
        .warnings.join()
        .includes(added[0] ?? ""),
      drops,
    );
  }
  assert.equal(plan(others).boot, []);
  // Docker has not started under firewalld yet.
  assert.match(plan(without(true, false)).warnings[0] ?? "", "Restart Docker");
  assert.equal(plan(without(false, false)).changes, []);
});

test("what firewalld drops of the bridge's own traffic, Docker's zone would let pass", () => {
  const NO_ZONE = /firewalld must accept .*frames between the ports of weave\)\. Restart Docker/;
  assert.match(plan(firewalld([], true)).warnings[0] ?? "", NO_ZONE);
  assert.match(plan(firewalld([], true), false).warnings[0] ?? "", NO_ZONE);
  const table = { family: "inet", table: "firewalld", handle: 9 };
  const accept = [match({ meta: { key: "iifname" } }, "weave"), { accept: null }];
  const byDocker = ["filter_INPUT", "filter_FORWARD"].map((chain) => ({ rule: { ...table, chain, expr: accept } }));
  assert.equal(plan(firewalld([], true, byDocker)).warnings, []);
  const fresh = firewalld([], true);
  assert.equal(planTraffic(firewallsOf("weave", fresh, traffic(), ENDPOINT, false), traffic(), "manage").warnings, []);
  // And Docker's policy of DROP in iptables, where Docker's own rule for the bridge is missing.
  const dropped = { ...firewalld([], true, byDocker), tables: iptables("-A INPUT -j ACCEPT").tables };
  assert.match(plan(dropped, false).warnings[0] ?? "", NO_ZONE);
});

test("chains of another table are opened besides firewalld's", () => {
  const table = { family: "inet", table: "mine" };
  const chain = { ...table, name: "input", handle: 1, type: "filter", hook: "input", prio: 0, policy: "drop" };
  const made = commands(plan(firewalld([], true, [{ chain }])));
  assert.equal(made.length, 3);
  assert.ok(made.every((command) => command.startsWith("nft insert rule inet mine input ")));
});

test("a table of nftables that is iptables' is left to iptables, unless that is iptables-legacy", () => {
  const chain = (family: string, name: string): object => ({
    chain: { family, table: "filter", name, handle: 1, type: "filter", hook: name.toLowerCase(), policy: "drop" },
  });
  const by = (version: string, family = "ip"): string[] =>
    commands(
      plan({
        ...{ ...NOTHING, nft: JSON.stringify({ nftables: [chain(family, "INPUT"), chain(family, "FORWARD")] }) },
        tables: { ipv4: `# Generated by ${version} on Mon Nov 30 05:33:57 2026\n${table([])}`, ipv6: null },
      }),
    ).map((command) => command.replace(/ -w.*| rule.*/, ""));
  const rules = ["iptables", "iptables", "iptables"];
  assert.equal(by("iptables-save v1.8.9 (nf_tables)"), rules);
  assert.equal(by("xtables-save v1.8.2"), rules);
  // Up to 1.8.7 only `iptables -V` has "(nf_tables)" (iptables/xtables-save.c at v1.8.7).
  assert.equal(by("iptables-save v1.8.7"), rules);
  assert.equal(by("iptables-save v1.8.9"), [...Array(4).fill("nft insert"), ...rules]);
  // iptables has none of family inet (nft(8)); a ruleset of the host's own may have its names.
  assert.equal(by("iptables-save v1.8.9 (nf_tables)", "inet"), [...Array(4).fill("nft insert"), ...rules]);
});

test("the router's peers get its port for TCP and UDP", () => {
  const router = { protocols: ["tcp", "udp"], port: 6783 };
  const made = commands(plan(iptables(), true, router));
  const ports = made.map((command) => /-s (\S+) -p (\S+) -m \S+ --dport (\d+)/.exec(command)?.slice(1).join(" "));
  assert.equal(ports, [
    ...["192.168.50.12 tcp 6783", "192.168.50.13 tcp 6783", "192.168.50.12 udp 6783", "192.168.50.13 udp 6783"],
    undefined,
  ]);
});

test("firewalld keeps the rule for frames if it is managed, as it removes what is not its own", () => {
  // As firewalld 1.3.3 writes it.
  const path = "/etc/firewalld/direct.xml";
  const direct = (args: string): string =>
    `<?xml version="1.0" encoding="utf-8"?>\n<direct>\n  <rule ipv="ipv4" table="filter" chain="FORWARD" priority="0">${args}</rule>\n</direct>\n`;
  const found = (files: Record<string, string>): boolean => firewalldHasForwardRule("weave", fakeHost({ files }));
  assert.not(found({}));
  assert.not(found({ [path]: direct("-i weave2 -o weave2 -m comment --comment weave_bridge -j ACCEPT") }));
  assert.ok(found({ [path]: direct("-i weave -o weave -m comment --comment weave_bridge -j ACCEPT") }));

  const command = (verb: string): string =>
    `firewall-cmd -q --permanent --direct --${verb}-rule ipv4 filter FORWARD 0 -i weave -o weave -m comment --comment weave_bridge -j ACCEPT`;
  const planned = (
    firewall: string,
    firewalldHasForwardRule: boolean | null,
    forwardRuleCount: number | null = 0,
  ): string[] =>
    commands(bridgePlan(router({ firewall }), { ...steadyRouter(), firewalldHasForwardRule, forwardRuleCount }))
      .filter((each) => /^(firewall-cmd|iptables)/.test(each))
      .map((each) => each.replace(/^iptables -w (-\w).*/, "iptables $1"));
  assert.equal(planned("manage", null), ["iptables -I"]);
  assert.equal(planned("manage", false), [command("add"), "iptables -I"]);
  assert.equal(planned("manage", true, 1), []);
  assert.equal(planned("manage", false, null), [], "a host without iptables");
  assert.equal(planned("check", null), ["iptables -I"]);
  assert.equal(planned("check", false), [], "Docker adds its own");
  assert.equal(planned("check", false, 1), ["iptables -D"]);
  assert.equal(planned("check", true, 1), [], "what was managed stays");
  assert.equal(planned("off", true, 1), [command("remove"), "iptables -D"]);
  const absent = bridgePlan(router({ state: "absent" }), {
    ...FRESH,
    firewalldHasForwardRule: true,
    forwardRuleCount: 1,
  });
  assert.is(commands(absent)[0], command("remove"));
});

test("a VXLAN that is open to the Internet is named, one at a private address or behind a firewall is not", () => {
  const exposed = (address: string, observed: ObservedFirewall): boolean =>
    exposureOf(firewallsOf("weave", observed, traffic(), ENDPOINT, true), address, 4789).length > 0;
  assert.ok(exposed("192.0.2.1", NOTHING));
  assert.ok(exposed("192.0.2.1", iptables("-A INPUT -p udp -j ACCEPT")));
  assert.not(exposed("192.0.2.1", iptables()));
  for (const address of ["10.1.2.3", "172.31.0.1", "192.168.50.11", "100.64.0.1"])
    assert.not(exposed(address, NOTHING));
});

test.run();
