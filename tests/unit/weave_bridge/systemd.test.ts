import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Managers, ObservedBridge } from "../../../modules/weave_bridge/observed";
import { pendingReloadPath } from "../../../modules/weave_bridge/own_files";
import { plan } from "../../../modules/weave_bridge/plan";
import { inWords, subjects } from "../support/changes";
import { matchesGolden } from "../support/golden";
import { FRESH, golden, MAC, router, STANZA, steadyVxlan, vxlan } from "./fixtures";

/** The provider systemd: a systemd unit. */
const UNIT = "/etc/systemd/system/weave-bridge.service";
const UNMANAGED = "/etc/systemd/network/05-weave.network";
const BOTH = ["multi-user.target", "docker.service"];

/** A host without ifupdown, that only systemd and perhaps NetworkManager run on. */
const on = <Observed extends ObservedBridge>(host: Observed, more: Partial<Managers> = {}): Observed => ({
  ...host,
  managers: { ...host.managers, systemd: true, ifupdown: false, ...more },
  interfaces: null,
});
const plain = on(FRESH);

/** The same host with the bridge that `vxlan()` asks for. */
function steady(more: Partial<Managers> = {}): ReturnType<typeof steadyVxlan> {
  const content = readFileSync(golden("weave-bridge.service"), "latin1");
  const files = new Map([...FRESH.files, [UNIT, { content, mode: 0o644 }] as const]);
  return { ...on(steadyVxlan(), { ownUnitState: "active", ...more }), files, unitStartedBy: BOTH };
}
const START = ["systemctl start weave-bridge.service"];
const STOP = ["systemctl daemon-reload", "systemctl stop weave-bridge.service"];
const STATE = "weave-bridge.service: state";
const STARTED_BY = "weave-bridge.service: started by";

test("on a host that nothing else manages, the unit is written, enabled, and creates the bridge", () => {
  const { changes, returns } = plan(vxlan(), plain);
  assert.is(returns["provider"], "systemd");
  assert.equal(
    inWords(changes).map(({ subject, steps }) => [subject, ...steps]),
    [
      [
        UNIT,
        `write ${pendingReloadPath("systemd")} 0600`,
        `write ${UNIT} 0644`,
        "find /etc/systemd/system -maxdepth 1 -name docker.service.d -type d -empty -delete",
        "systemctl daemon-reload",
        `remove ${pendingReloadPath("systemd")}`,
      ],
      [STARTED_BY, "systemctl reenable weave-bridge.service"],
      ["bridge weave", ...START],
    ],
  );
  assert.equal([changes[1]?.before, changes[1]?.after], ["nothing\n", "multi-user.target\ndocker.service\n"]);
  assert.match(changes[2]?.after ?? "", /frames between its ports accepted by iptables\n$/);
});

test("the unit is the one next to this test", () => {
  matchesGolden(plan(vxlan(), plain).changes[0]?.after ?? "", golden("weave-bridge.service"));
});

test("without VXLAN, iptables or a rule the unit does not mention them", () => {
  const unit = plan(router({ firewall: "off" }), { ...plain, forwardRuleCount: null }).changes[0]?.after ?? "";
  assert.not.match(unit, /vxlan|weave-vx|iptables|fdb/);
});

test("a host as desired needs nothing; each drift is one change", () => {
  assert.equal(plan(vxlan(), steady()).changes, []);
  const drifted = (more: object): unknown =>
    inWords(plan(vxlan(), { ...steady(), ...more }).changes).map(({ subject, before, steps }) => [
      subject,
      before,
      ...steps,
    ]);
  const inactive = steady({ ownUnitState: "inactive" });
  assert.equal(drifted({ managers: inactive.managers }), [[STATE, "inactive\n", ...START]]);
  assert.equal(drifted({ managers: steady({ ownUnitState: "failed" }).managers }), [[STATE, "failed\n", ...START]]);
  assert.equal(drifted({ unitStartedBy: ["docker.service"] }), [
    [STARTED_BY, "docker.service\n", "systemctl reenable weave-bridge.service"],
  ]);
  assert.equal(drifted({ managers: inactive.managers, bridge: null, vxlan: null }), [
    ["bridge weave", "absent\n", ...START],
  ]);
});

test("a bridge that was deleted under an active unit is created without it, as a restart would restart Docker", () => {
  const { changes } = plan(vxlan(), { ...steady(), bridge: null, vxlan: null });
  const [created] = inWords(changes);
  assert.is(created?.steps[0], `ip link add name weave address ${MAC} type bridge`);
  assert.not.match(JSON.stringify(inWords(changes)), "systemctl");
});

test("the unit takes a bridge over from ifupdown, which forgets it", () => {
  const host = { ...on(steadyVxlan(), { ifupdown: true }), upInIfupdown: true };
  const { changes } = plan(vxlan({ provider: "systemd" }), host);
  assert.equal(subjects(changes), [STANZA, "ifupdown: weave", UNIT, STARTED_BY, STATE]);
  assert.equal(inWords(changes).at(-1)?.steps, START);
});

test("ifupdown takes it over from the unit, whose commands are not run", () => {
  const { changes } = plan(vxlan(), { ...steady(), ...{ managers: steady({ ifupdown: true }).managers } });
  assert.equal(subjects(changes), [STANZA, STARTED_BY, UNIT, STATE]);
  assert.equal(inWords(changes)[1]?.steps, ["systemctl disable weave-bridge.service"]);
  assert.equal(inWords(changes).at(-1)?.steps, STOP);
});

test("systemd-networkd is configured not to manage the bridge; of one that it manages, the address is set again", () => {
  assert.not.ok(subjects(plan(vxlan(), plain).changes).includes(UNMANAGED));
  const managers = { networkd: "runs" as const, networkdAtBoot: true };
  const fresh = inWords(plan(vxlan(), on(FRESH, managers)).changes).find(({ subject }) => subject === UNMANAGED);
  assert.match(fresh?.after ?? "", "[Match]\nName=weave weave-vx\n\n[Link]\nUnmanaged=yes\n");
  assert.equal(fresh?.steps.slice(2), ["networkctl reload", `remove ${pendingReloadPath("systemd-networkd")}`]);
  const live = inWords(plan(vxlan(), steady(managers)).changes);
  assert.equal(
    live.map(({ subject }) => subject),
    [UNMANAGED],
  );
  assert.equal(live[0]?.steps.slice(2), [
    "ip link set dev weave up",
    "ip addr replace 10.2.0.1/32 dev weave",
    "ip route replace 10.2.0.0/16 dev weave src 10.2.0.1 metric 1",
    "networkctl reload",
    "sh -c for i in $(seq 50); do networkctl list --no-legend weave | grep -q unmanaged && break; sleep 0.1; done",
    "ip addr replace 10.2.0.1/16 dev weave",
    "ip route del 10.2.0.0/16 dev weave src 10.2.0.1 metric 1",
    "ip addr del 10.2.0.1/32 dev weave",
    `remove ${pendingReloadPath("systemd-networkd")}`,
  ]);
});

test("state absent leaves neither file, link nor state", () => {
  const absent = router({ state: "absent", host_index: null });
  assert.equal(
    inWords(plan(absent, steady()).changes).map(({ subject, steps }) => [subject, steps.at(-1)]),
    [
      ["bridge weave: datapath", "ip link del dev weave-vx"],
      ["bridge weave", "ip link del dev weave"],
      [
        "bridge weave: iptables rule",
        "iptables -w -D FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT",
      ],
      [STARTED_BY, "systemctl disable weave-bridge.service"],
      [UNIT, `remove ${pendingReloadPath("systemd")}`],
      [STATE, STOP[1]],
    ],
  );
  const failed = { ...FRESH, managers: { ...FRESH.managers, ownUnitState: "failed" } };
  assert.equal(inWords(plan(absent, failed).changes)[0]?.steps.at(-1), "systemctl reset-failed weave-bridge.service");
});

test.run();
