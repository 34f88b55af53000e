import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ObservedFirewall } from "../../../modules/weave_bridge/firewall/observe";
import {
  commands,
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
  UFW_CHAINS,
} from "./firewall_fixtures";

/** Own rules that another rule stands before. */

const OWN = [saved(PEER(12)), saved(PEER(13)), saved(HOST)];
const remove = (rule: string): string => `iptables -w -D ${saved(rule).slice(3)}`;

test("iptables: an own rule below one that drops is named, and put before it again", () => {
  const below = iptables("-A INPUT -s 192.168.50.12/32 -j DROP", ...OWN);
  const { changes, warnings } = plan(below, false);
  assert.equal(changes, []);
  assert.is(
    warnings[0],
    "firewall: iptables must accept the network's traffic (found that it drops UDP port 4789 from 192.168.50.12). " +
      `Set I(firewall): manage, or run: ${remove(PEER(12))}; iptables -w -I ${PEER(12)}.`,
  );
  const made = plan(below);
  assert.equal(commands(made), [remove(PEER(12)), `iptables -w -I ${PEER(12)}`]);
  assert.equal(made.warnings, []);
  assert.is(made.boot.length, 3);
  assert.equal(commands(plan(iptables(OWN[0] ?? "", "-A INPUT -s 192.168.50.12/32 -j DROP", ...OWN.slice(1)))), []);
});

test("iptables: the rule for frames is put before one that drops them", () => {
  const rule = "FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT";
  const below = iptables(...OWN, "-A FORWARD -i weave -j DROP", `-A ${rule}`);
  assert.match(plan(below, false).warnings[0] ?? "", "found that it drops frames between the ports of weave");
  const made = plan(below);
  assert.equal(commands(made), [`iptables -w -D ${rule}`, `iptables -w -I ${rule}`]);
  assert.is(made.boot.length, 3);
  assert.equal(plan(iptables(...OWN, `-A ${rule}`, "-A FORWARD -i weave -j DROP")).changes, []);
  // Without it, the bridge's own change adds it.
  assert.equal(commands(plan(iptables(...OWN, "-A FORWARD -i weave -j DROP"))), []);
});

test("nftables: an own rule below one that drops is put before it again", () => {
  const own = (n: number): object => ({
    comment: `weave_bridge/weave/udp/4789/192.168.50.${n}`,
    expr: [match(field("ip", "saddr"), `192.168.50.${n}`), match(field("udp", "dport"), 4789), { accept: null }],
  });
  const drop = { expr: [match(field("udp", "dport"), 4789), { drop: null }] };
  const made = (...rules: object[]): string[] =>
    commands(plan({ ...NOTHING, nft: nft(...rules) })).filter(
      (command) => command.includes("4789") || / \d+$/.test(command),
    );
  assert.equal(made(own(12), drop, own(13)), [
    "nft delete rule inet filter input handle 4",
    "nft insert rule inet filter input ip saddr 192.168.50.13 udp dport 4789 accept comment weave_bridge/weave/udp/4789/192.168.50.13",
  ]);
  assert.equal(made(own(12), own(13), drop), []);
});

const tuple = (n: number): string =>
  `### tuple ### allow udp 4789 0.0.0.0/0 any 192.168.50.${n} in comment=${Buffer.from(`weave_bridge/weave/udp/4789/192.168.50.${n}`).toString("hex")}\n`;
/** ufw with its rules for both peers, and what is in the kernel. */
const ufw = (...rules: string[]): ObservedFirewall => ({ ...iptables(...rules), ufw: tuple(12) + tuple(13) });
const ufwOwn = OWN.map((rule) => rule.replace("INPUT", "ufw-user-input"));

test("ufw: an own rule below one that denies is put before it again", () => {
  const made = plan(ufw(...UFW_CHAINS, "-A ufw-user-input -s 192.168.50.13/32 -j DROP", ...ufwOwn));
  assert.equal(commands(made), [
    "ufw delete allow from 192.168.50.13 to any port 4789 proto udp",
    "ufw prepend allow from 192.168.50.13 to any port 4789 proto udp comment weave_bridge/weave/udp/4789/192.168.50.13",
  ]);
  assert.equal(plan(ufw(...UFW_CHAINS, ...ufwOwn)).changes, []);
});

test("ufw: what drops packets before its own rules is the operator's to remove", () => {
  for (const manage of [true, false]) {
    const made = plan(ufw("-A INPUT -s 192.168.50.13/32 -j DROP", ...UFW_CHAINS, ...ufwOwn), manage);
    assert.equal(made.changes, []);
    assert.match(
      made.warnings.join(),
      /^firewall: ufw must accept .* drops UDP port 4789 from 192\.168\.50\.13\)\. Remove the rule that drops it before this module's rule/,
    );
  }
});

test("ufw: where something else has flushed its chains, it must load them again", () => {
  const made = plan(ufw());
  assert.equal(made.changes, []);
  assert.match(made.warnings.join(), /^firewall: ufw must accept .*\. Run: ufw reload\.$/);
});

test("ufw without IPv6 drops all of it, which WireGuard's link-local addresses need", () => {
  // What ufw 0.36.2 loads with IPV6=no, and with IPV6=yes.
  const off = table(["-A INPUT -i lo -j ACCEPT"]);
  const on = table(["-A INPUT -j ufw6-before-input", "-A ufw6-before-input -j ufw6-user-input"]);
  const made = (ipv6: string): ReturnType<typeof plan> =>
    plan({ ...NOTHING, ufw: "", tables: { ipv4: iptables(...UFW_CHAINS).tables.ipv4, ipv6 } }, true, {
      port: 51820,
      inside: 4789,
    });
  const without = made(off);
  assert.not.match(commands(without).join(), "fe80");
  assert.equal(without.warnings, [
    "firewall: ufw must accept the network's traffic (found that it drops UDP port 4789 from fe80::/64). Set IPV6=yes in /etc/default/ufw, and run: ufw reload.",
  ]);
  const add = "ufw prepend allow in on weave-wg from fe80::/64 to any port 4789 proto udp comment ";
  assert.match(commands(made(on)).join(), `${add}weave_bridge/weave/udp/4789/weave-wg`);
  assert.equal(made(on).warnings, []);
});

const byName = { family: "inet", table: "firewalld" };
const inChain = (chain: string, ...expr: object[]): object => ({ rule: { ...byName, chain, handle: 9, expr } });
const accepting = (n: number): object[] => [
  match(field("ip", "saddr"), `192.168.50.${n}`),
  match(field("udp", "dport"), 4789),
  { accept: null },
];

test("firewalld: what drops packets before an own rule in force is the operator's to remove", () => {
  const [, , add = ""] = commands(plan(firewalld([], false)))[1]?.split(/ (?=--add)/) ?? [];
  const [, priority = ""] = /priority="(-\d+)"/.exec(add) ?? [];
  const rules = [12, 13].map((n) => richRule(`192.168.50.${n}`, priority));
  const pre = { chain: { ...byName, name: "filter_IN_internal_pre", handle: 1 } };
  const live = [12, 13].map((n) => inChain("filter_IN_internal_pre", ...accepting(n)));
  for (const manage of [true, false]) {
    const made = plan(firewalld(rules, false, [pre, ...live]), manage);
    assert.equal(made.changes, []);
    assert.match(
      made.warnings[0] ?? "",
      /^firewall: firewalld must accept .* Remove the rule that drops it before this module's rule/,
    );
  }
  // Accepted in another zone than that of the packets.
  const other = JSON.stringify([pre, ...live]).replaceAll("internal_pre", "public_pre");
  assert.is(commands(plan(firewalld(rules, false, JSON.parse(other)))).length, 2);
});

test("firewalld 2.5.2: a rule goes to the zone of the packets, by their sender or device", () => {
  const dispatch = { chain: { ...byName, name: "filter_INPUT_dispatch", handle: 1 } };
  const by = (device: string): object => match({ meta: { key: "iifname" } }, device);
  const to = (zone: string, ...expr: object[]): object =>
    inChain("filter_INPUT_dispatch", ...expr, { jump: { target: `filter_IN_${zone}_to_HOST` } });
  const zones = (...more: object[]): string[] => {
    const { nft: text, ...others } = firewalld([], false, [dispatch, ...more, to("public")]);
    // Without the chains of older versions.
    const observed = { ...others, nft: (text ?? "").replaceAll("INPUT_ZONES", "OLD") };
    return commands(plan(observed)).map((command) => /--zone=(\S+)/.exec(command)?.[1] ?? "");
  };
  assert.equal(zones(to("internal", by("eth0"))), ["internal", "internal"]);
  const network = match(field("ip", "saddr"), { prefix: { addr: "192.168.50.0", len: 24 } });
  assert.equal(zones(to("work", network), to("internal", by("eth0"))), ["work", "work"]);
  assert.equal(zones(), ["public", "public"]);
});

test.run();
