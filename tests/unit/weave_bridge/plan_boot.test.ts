import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ObservedBridge } from "../../../modules/weave_bridge/observed";
import { pendingReloadPath } from "../../../modules/weave_bridge/own_files";
import { plan } from "../../../modules/weave_bridge/plan";
import { inWords, subjects } from "../support/changes";
import { matchesGolden } from "../support/golden";
import { FRESH, golden, router, STANZA, steadyRouter, steadyVxlan, vxlan } from "./fixtures";

const NETPLAN: ObservedBridge = {
  ...FRESH,
  managers: { ...FRESH.managers, ifupdown: false, networkd: "manages", networkdAtBoot: true },
  interfaces: null,
};
const DIRECTORY = "/etc/systemd/network";
const DROP_IN = "/etc/systemd/system/docker.service.d/weave-bridge.conf";
const UNMANAGED = "/etc/NetworkManager/conf.d/weave-bridge.conf";

test("with systemd-networkd the live bridge is created first, then its files, which are loaded once", () => {
  const { changes } = plan(vxlan(), NETPLAN);
  assert.equal(subjects(changes), [
    "bridge weave",
    "bridge weave: frames between its ports",
    `${DIRECTORY}/05-weave.netdev`,
    `${DIRECTORY}/05-weave.network`,
    `${DIRECTORY}/05-weave-vx.netdev`,
    `${DIRECTORY}/05-weave-vx.network`,
    DROP_IN,
  ]);
  const reloads = inWords(changes).filter(({ steps }) => steps.includes("networkctl reload"));
  assert.equal(
    reloads.map(({ subject }) => subject),
    [`${DIRECTORY}/05-weave-vx.network`],
  );
  assert.equal(inWords(changes).at(-1)?.steps, [
    `write ${pendingReloadPath("systemd")} 0600`,
    `write ${DROP_IN} 0644`,
    "systemctl daemon-reload",
    `remove ${pendingReloadPath("systemd")}`,
  ]);
});

test("the next run makes the reload that an interrupted run did not get to, and no other", () => {
  const { changes } = plan(vxlan(), NETPLAN);
  const files = new Map(
    changes.slice(2).map(({ subject, after }) => [subject, { content: after, mode: 0o644 }] as const),
  );
  const there = { ...NETPLAN, files: new Map([...NETPLAN.files, ...files]) };
  const mark = pendingReloadPath("systemd-networkd");
  const written = changes.filter(({ subject }) => subject.startsWith(DIRECTORY));
  assert.equal(inWords(written)[0]?.steps[0], `write ${mark} 0600`, "the mark is written before the first file");
  const pending = inWords(plan(vxlan(), { ...there, pendingReloads: [mark] }).changes).slice(2);
  assert.equal(pending, [
    {
      subject: "systemd-networkd: loaded files",
      before: "outdated\n",
      after: "current\n",
      steps: [...(inWords(written).at(-1)?.steps.slice(1) ?? [])],
    },
  ]);
  assert.equal(plan(vxlan(), there).changes.slice(2), []);
});

test("the files for systemd-networkd are the ones next to this test", () => {
  for (const { subject, after } of plan(vxlan(), NETPLAN).changes.slice(2)) {
    matchesGolden(after, golden(subject.replace(/.*\//, "")));
  }
});

test("with the Weave router the files have no VXLAN, and a VXLAN's files are removed", () => {
  assert.equal(
    subjects(plan(router(), NETPLAN).changes).filter((subject) => subject.includes("-vx")),
    [],
  );
  const file = { content: "[NetDev]\n", mode: 0o644 };
  const left = { ...NETPLAN, files: new Map([...NETPLAN.files, [`${DIRECTORY}/05-weave-vx.netdev`, file]]) };
  const gone = inWords(plan(router(), left).changes).find(({ subject }) => subject.includes("-vx"));
  assert.is(gone?.after, "");
});

test("another provider's files are removed, as two would create the bridge twice", () => {
  const managers = { ...FRESH.managers, networkd: "manages" as const };
  const changes = inWords(plan(vxlan(), { ...steadyVxlan(), managers }).changes);
  assert.equal(changes.find(({ subject }) => subject === STANZA)?.steps, [`remove ${STANZA}`]);
});

test("NetworkManager, if it runs, is configured first", () => {
  const managers = { ...FRESH.managers, networkManager: true, networkManagerAtBoot: true };
  const [change] = inWords(plan(router(), { ...FRESH, managers }).changes);
  assert.equal(change, {
    subject: UNMANAGED,
    before: "",
    after:
      "# Ansible managed (weave_bridge), which configures these devices.\n\n" +
      "[keyfile]\nunmanaged-devices+=interface-name:weave;interface-name:weave-vx\n",
    steps: [
      `write ${pendingReloadPath("NetworkManager")} 0600`,
      `write ${UNMANAGED} 0644`,
      "systemctl reload NetworkManager",
      `remove ${pendingReloadPath("NetworkManager")}`,
    ],
  });
});

test("if Apollo's pattern would activate other files, only the bridge's file is read", () => {
  const interfaces = { content: "source-directory interfaces.d\n", mode: 0o644 };
  const added = (...interfacesDirectory: string[]): string =>
    plan(router(), { ...FRESH, interfaces, interfacesDirectory }).changes[1]?.after.split("\n")[1] ?? "";
  assert.is(added("weave.cfg", "README"), "source /etc/network/interfaces.d/*.cfg");
  assert.is(added("50-cloud-init.cfg"), `source ${STANZA}`);
});

test("without iptables the plan does not mention it", () => {
  for (const { after } of plan(router(), { ...FRESH, forwardRuleCount: null }).changes)
    assert.not.match(after, "iptables");
  for (const { after } of plan(router(), { ...NETPLAN, forwardRuleCount: null }).changes)
    assert.not.match(after, "iptables");
});

test("the iptables rule is added, or removed, by itself", () => {
  const [missing] = inWords(plan(router(), { ...steadyRouter(), forwardRuleCount: 0 }).changes);
  const rule = "FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT";
  assert.equal(missing, {
    subject: "bridge weave: frames between its ports",
    before: "subject to iptables\n",
    after: "accepted by iptables\n",
    steps: [`iptables -w -I ${rule}`],
  });
  const removed = inWords(plan(router({ firewall: "off" }), steadyRouter()).changes);
  assert.equal(removed.at(-1)?.steps, [`iptables -w -D ${rule}`]);
  const copies = { ...steadyRouter(), forwardRuleCount: 2 };
  const twice = [`iptables -w -D ${rule}`, `iptables -w -D ${rule}`];
  assert.equal(inWords(plan(router({ firewall: "off" }), copies).changes).at(-1)?.steps, twice);
  const absent = inWords(plan(router({ state: "absent" }), copies).changes);
  assert.equal(absent.find(({ subject }) => subject === "bridge weave: iptables rule")?.steps, twice);
});

test("a rule left over from a deleted bridge is removed if firewall is off", () => {
  const left = { ...FRESH, forwardRuleCount: 1 };
  assert.equal(subjects(plan(router({ firewall: "off" }), left).changes), [
    STANZA,
    "bridge weave",
    "bridge weave: frames between its ports",
  ]);
  assert.equal(subjects(plan(router(), left).changes), [STANZA, "bridge weave"]);
});

test("the Weave router's port is removed before the VXLAN is added", () => {
  const observed = steadyVxlan();
  const bridge = { ...observed.bridge, ports: ["vethabc", "vethwe-bridge"] };
  const changes = inWords(plan(vxlan(), { ...observed, bridge, vxlan: null }).changes);
  assert.equal(
    changes.map(({ subject }) => subject),
    ["bridge weave: port of the Weave router", "bridge weave: datapath"],
  );
  assert.equal(changes[0]?.steps, ["ip link del dev vethwe-bridge"]);
  assert.equal(plan(router(), { ...steadyRouter(), bridge: { ...bridge, mtu: 1438 } }).changes, []);
});

test.run();
