import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Route, Rule } from "../../../modules/formats/routes";
import { rejectOverlap } from "../../../modules/weave_bridge/overlap";
import { userErrorOf } from "../support/user_error";
import { FRESH, ipLink, RULES, route, rule } from "./fixtures";

const judge = (routes: readonly Route[], rules: readonly Rule[] = RULES, links = FRESH.links): void =>
  rejectOverlap("weave", "10.2.0.0/16", { ...FRESH, links, routes: [...FRESH.routes, ...routes], rules });
const errorOf = (...args: Parameters<typeof judge>): string => userErrorOf(() => judge(...args));

const before = (...rules: readonly Rule[]): readonly Rule[] => [
  ...RULES.filter(({ priority }) => priority === 0),
  ...rules,
  ...RULES.filter(({ priority }) => priority > 0),
];

test("a route of the main table that leads nowhere is in the way if it is as specific as the bridge's, or more", () => {
  for (const type of ["unreachable", "blackhole", "prohibit", "throw"]) {
    for (const network of ["10.2.0.0/16", "10.2.5.0/24", "10.2.0.7/32"]) {
      assert.is(
        errorOf([route(network, null, { type })]),
        `network: 10.2.0.0/16 must not overlap the networks of this host (found the ${type} route to ${network}). Set a network ` +
          "that the hosts do not use.",
      );
    }
    for (const network of ["10.0.0.0/8", "0.0.0.0/0", "10.3.0.0/16"]) judge([route(network, null, { type })]);
    judge([route("10.2.0.0/16", null, { type, metric: 4278198272 })]);
  }
});

test("a route of another table counts only if a rule looks that table up first", () => {
  for (const network of ["10.2.0.0/16", "10.2.7.0/24", "10.0.0.0/8", "0.0.0.0/0"]) {
    const other = route(network, "tun0", { table: "vpn" });
    judge([other]);
    judge([other], [...RULES, rule(40000, "vpn")]);
    assert.is(
      errorOf([other], before(rule(100, "vpn"))),
      `network: packets to 10.2.0.0/16 must be routed to the bridge by the main routing table (found the route to ${network} on ` +
        "tun0 in table vpn, because of rule 100). Add a rule before it (ip rule add to 10.2.0.0/16 lookup main priority 99), or set another network.",
    );
  }
  judge([route("10.3.0.0/16", "tun0", { table: "vpn" })], before(rule(100, "vpn")));
});

test("the rule that the message names is enough", () => {
  const vpn = [route("0.0.0.0/0", "tun0", { table: "vpn" })];
  judge(vpn, before(rule(99, "main", { to: "10.2.0.0/16" }), rule(100, "vpn")));
  assert.match(errorOf(vpn, before(rule(99, "main", { to: "10.2.0.0/17" }), rule(100, "vpn"))), "because of rule 100");
});

test("routes that lead nowhere count in another table too, but throw leads back", () => {
  const ruled = before(rule(100, "vpn"));
  for (const type of ["unreachable", "blackhole", "prohibit"]) {
    assert.match(
      errorOf([route("0.0.0.0/0", null, { type, table: "vpn" })], ruled),
      `(found the ${type} route to 0.0.0.0/0 in table vpn, because of rule 100)`,
    );
  }
  const thrown = route("10.2.0.0/16", null, { type: "throw", table: "vpn" });
  judge([route("0.0.0.0/0", "tun0", { table: "vpn" }), thrown], ruled);
});

test("a rule that itself leads nowhere is in the way", () => {
  const verdict = (to: string | null) => before(rule(60, "", { to, action: { verdict: "prohibit" } }));
  assert.match(errorOf([], verdict("10.2.3.0/24")), "(found rule 60, prohibit). Add a rule before it");
  assert.match(errorOf([], verdict(null)), "(found rule 60, prohibit)");
  judge([], verdict("10.3.0.0/16"));
  judge([], before(rule(60, "", { action: { verdict: "nop" } })));
});

test("a local route takes packets before any other", () => {
  const own = route("10.2.0.0/16", "lo", { type: "local", table: "local" });
  assert.match(
    errorOf([own]),
    /\(found the local route to 10\.2\.0\.0\/16 on lo in table local, because of rule 0\)\. Delete it, or set another network\.$/,
  );
  const bridge = ipLink("weave", ["10.2.0.1/16"]);
  const address = route("10.2.0.1/32", "weave", { type: "local", table: "local" });
  const broadcast = route("10.2.255.255/32", "weave", { type: "broadcast", table: "local" });
  judge([address, broadcast], RULES, [...FRESH.links, bridge]);
});

test("rules of wg-quick, tailscale and hosts with several uplinks are not in the way", () => {
  const [wg, uplink] = [route("0.0.0.0/0", "wg0", { table: "51820" }), route("0.0.0.0/0", "eth1", { table: "100" })];
  const mark = { value: 0xca6c, mask: 0xffffffff };
  const specific = rule(32764, "main", { action: { lookup: "main", suppressed: 0 } });
  const unmarked = rule(32765, "51820", { inverted: true, mark });
  judge([wg], before(specific, unmarked));
  assert.match(errorOf([wg], before(unmarked)), "on wg0 in table 51820, because of rule 32765");
  for (const more of [
    { from: "192.168.60.4/32" },
    { mark },
    { incoming: "eth1" },
    { outgoing: "eth1" },
    { to: "192.0.2.0/24" },
    { hasOtherMatch: true },
  ]) {
    judge([uplink], before(rule(100, "100", more)));
  }
});

test("a rule for packets of the container network is in the way, in whatever words", () => {
  const uplink = route("0.0.0.0/0", "eth1", { table: "100" });
  for (const more of [
    { from: "10.2.0.0/16" },
    { from: "10.0.0.0/8" },
    { to: "10.2.9.0/24" },
    { incoming: "weave" },
    { incoming: "lo" },
    { hasProtocolMatch: true },
    { mark: { value: 0, mask: 0x80000 } },
    { inverted: true, from: "192.168.0.0/16" },
    { inverted: true, to: "192.168.0.0/16" },
  ]) {
    assert.match(errorOf([uplink], before(rule(100, "100", more))), "because of rule 100", JSON.stringify(more));
  }
  judge([uplink], before(rule(100, "100", { inverted: true, to: "10.0.0.0/8" })));
  judge([uplink], before(rule(100, "100", { inverted: true })));
});

test("a route in the part that a rule is for decides, not one outside it", () => {
  const ruled = before(rule(100, "100", { to: "10.2.9.0/24" }));
  judge([route("10.2.8.0/24", "eth1", { table: "100" })], ruled);
  assert.match(errorOf([route("10.2.9.128/25", "eth1", { table: "100" })], ruled), "10.2.9.128/25");
});

test("goto leaves out the rules between", () => {
  const uplink = [route("0.0.0.0/0", "eth1", { table: "100" })];
  judge(uplink, before(rule(50, "", { action: { goTo: 32766 } }), rule(100, "100")));
  assert.match(
    errorOf(uplink, before(rule(50, "", { action: { goTo: 32766 }, to: "10.2.1.0/24" }), rule(100, "100"))),
    "because of rule 100",
  );
});

test("a table that leads to the bridge is as good as main", () => {
  const rules = before(rule(90, "weave"), rule(100, "100"));
  const own = route("10.2.0.0/16", "weave", { table: "weave" });
  judge([own, route("0.0.0.0/0", "eth1", { table: "100" })], rules);
});

test("a kernel without policy routing has no rules", () => {
  judge([route("0.0.0.0/0", "tun0", { table: "vpn" })], []);
});

test.run();
