import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Plan } from "../../../modules/core/module";
import type { ObservedFirewall } from "../../../modules/weave_bridge/firewall/observe";
import type { ObservedBridge } from "../../../modules/weave_bridge/observed";
import { stanzaPath } from "../../../modules/weave_bridge/own_files";
import { plan as bridgePlan } from "../../../modules/weave_bridge/plan";
import { commands, iptables, saved } from "./firewall_fixtures";
import { ipLink, resolving, route, router, steadyRouter, withStanza } from "./fixtures";

/** What is kept of what was opened. */

const PEERS = ["192.168.50.12", "host3"];
const rule = (protocol: string, n: number): string =>
  `INPUT -s 192.168.50.${n} -p ${protocol} -m ${protocol} --dport 6783 -m comment --comment weave_bridge/weave/${protocol}/6783/192.168.50.${n} -j ACCEPT`;
const HOST = saved(
  "INPUT -s 10.2.0.0/16 -d 10.2.0.1 -i weave -m comment --comment weave_bridge/weave/host/10.2.0.1/16 -j ACCEPT",
);
const OWN = [...[12, 13].flatMap((n) => ["tcp", "udp"].map((protocol) => saved(rule(protocol, n)))), HOST];
const found = { host3: "192.168.50.13" };
/** A host that was managed while all names were resolved. */
const managed = (firewall: ObservedFirewall): ObservedBridge => {
  const before = resolving(found, { ...steadyRouter(), firewall });
  const [written] = bridgePlan(router({ peers: PEERS, firewall: "manage" }), before).changes.flatMap(({ actions }) =>
    actions.flatMap((action) => (action.do === "write" && action.path === stanzaPath("weave") ? [action.content] : [])),
  );
  return withStanza({ ...steadyRouter(), firewall }, written ?? "");
};
const run = (observed: ObservedBridge, firewall = "manage", peers = PEERS): Plan =>
  bridgePlan(router({ peers, firewall }), observed);
const subjects = ({ changes }: Plan): string[] => changes.map(({ subject }) => subject);

test("a name that is not resolved closes nothing that is open to the router, and is named", () => {
  const observed = managed(iptables(...OWN));
  const { changes: none, warnings: without } = run(resolving(found, observed));
  assert.equal([none, without], [[], undefined]);
  const { changes, warnings } = run(resolving({ host3: [] }, observed));
  assert.equal(changes, [], "also at boot");
  assert.equal(warnings, [
    "peers: a managed firewall needs each peer's address (found none for host3, so that no rule for the router is removed). Add " +
      "the name to DNS or to this host's /etc/hosts.",
  ]);
  // After a reload of the rules, those of the others are opened again, and all are at boot.
  assert.equal(subjects(run(managed(iptables()))), ["firewall: iptables"]);
});

test("check names what is dropped of peers by name", () => {
  const [warning = ""] = run(resolving(found, managed(iptables())), "check").warnings ?? [];
  assert.match(warning, "UDP port 6783 from 192.168.50.13");
});

test("other names of this host need no address, and what has nothing to do with the peers is closed", () => {
  const observed = managed(iptables(...OWN));
  const { warnings } = run(resolving({ ...found, host1: "127.0.1.1" }, observed), "manage", [...PEERS, "host1"]);
  assert.is(warnings, undefined);
  const old = saved(
    "INPUT -s 192.168.50.12 -p udp -m udp --dport 4789 -m comment --comment weave_bridge/weave/udp/4789/192.168.50.12 -j ACCEPT",
  );
  assert.equal(commands(run(managed(iptables(...OWN, old)))), [`iptables -w -D ${old.slice(3)}`]);
});

test("once all names are resolved, a peer that is gone is closed, now and at boot", () => {
  const gone = run(resolving({}, managed(iptables(...OWN))), "manage", ["192.168.50.12"]);
  assert.equal(subjects(gone), ["firewall: iptables", stanzaPath("weave")]);
  assert.not.match(gone.changes[1]?.after ?? "", "192.168.50.13");
});

test("check and off keep what was managed for the next boot, also if the kernel has lost it", () => {
  for (const firewall of ["check", "off"]) {
    for (const rules of [OWN, []]) {
      const observed = managed(iptables(...rules));
      const { changes } = run(firewall === "off" ? { ...observed, firewall: null } : observed, firewall);
      const after = changes.find(({ subject }) => subject === stanzaPath("weave"))?.after ?? "";
      // Of the file, only its comment with the option's value changes.
      assert.is(after.match(/\|\| iptables -w -I INPUT .* weave_bridge\/weave\//g)?.length, 5);
    }
  }
});

test("the router's packets arrive by the device of the route to its peers", () => {
  const observed = managed(iptables("-A INPUT -d 10.7.0.1/32 -i eth1 -j ACCEPT", "-A INPUT -i weave -j ACCEPT"));
  const links = [...observed.links, ipLink("eth1", ["10.7.0.1/24"])];
  const routes = [...observed.routes, route("10.7.0.0/24", "eth1", { source: "10.7.0.1" })];
  for (const underlay of [undefined, "192.168.50.11"]) {
    const options = router({ peers: ["10.7.0.2"], firewall: "check", ...(underlay && { underlay }) });
    assert.is(bridgePlan(options, { ...observed, links, routes }).warnings, undefined);
  }
  assert.match(run({ ...observed, links, routes }, "check").warnings?.join() ?? "", "TCP port 6783 from 192.168.50.12");
});

test.run();
