import { test } from "uvu";
import * as assert from "uvu/assert";
import { resolveDesired } from "../../../modules/weave_bridge/desired";
import type { ObservedBridge, ObservedWireguard } from "../../../modules/weave_bridge/observed";
import type { BridgeOptions } from "../../../modules/weave_bridge/options";
import { plan } from "../../../modules/weave_bridge/plan";
import { inWords, subjects } from "../support/changes";
import { router, steadyVxlan, vxlan } from "./fixtures";
import { about, encrypted, errorOf, HOST, NEEDS, needing, PATH, with_ } from "./wireguard_fixtures";

/** The same host with systemd as process 1, and the state of wireguard-go's own unit. */
const bySystemd = (host: ObservedBridge, wireguardGoState = "inactive"): ObservedBridge => ({
  ...host,
  managers: { ...host.managers, systemd: true, wireguardGoState },
});

/** The bridge, with a VXLAN inside WireGuard. */
const BOUND: Partial<ObservedBridge> = (() => {
  const { bridge, vxlan: device } = steadyVxlan();
  const { local = "", device: lower = "" } = resolveDesired(encrypted(), HOST).vxlan ?? {};
  return {
    bridge,
    vxlan: { ...device, parameters: { id: 6783, port: 4789, local, device: lower, flags: [], ipv6: true } },
  };
})();

test("the file comes first, readable only by root, then the device, then what is bound to it", () => {
  const { changes, returns } = plan(encrypted(), HOST);
  assert.equal(subjects(changes), [
    PATH,
    "/etc/network/interfaces.d/weave.cfg",
    "bridge weave: encryption",
    "bridge weave",
  ]);
  assert.equal(inWords(changes)[0]?.steps, [`write ${PATH} 0600`]);
  assert.not.match(changes[0]?.after ?? "", /(Private|Preshared)Key = [^*]/);
  assert.is(returns["mtu"], 1500 - 60 - 70);
  assert.is(returns["wireguard"], true);
});

test("the device is created by what the host has", () => {
  const first = (observed: ObservedBridge) => about(encrypted(), observed).at(-1)?.steps[0];
  assert.is(first(HOST), "ip link add dev weave-wg type wireguard");
  assert.is(first(needing({ implementation: "wireguard-go" })), "wireguard-go weave-wg");
});

test("under systemd, wireguard-go is started in a separate unit, in the run and at boot of each provider", () => {
  const start =
    "systemd-run --quiet --collect --unit=weave-wg-go --property=Type=forking --property=DefaultDependencies=no wireguard-go weave-wg";
  const host = bySystemd(needing({ implementation: "wireguard-go" }));
  assert.equal(about(encrypted(), host).at(-1)?.steps.slice(0, 3), [
    "systemctl stop weave-wg-go",
    start,
    `wg syncconf weave-wg ${PATH}`,
  ]);
  for (const provider of ["ifupdown", "systemd", "networkd"]) {
    const managers = { ...host.managers, networkd: "manages" } as const;
    const { changes } = plan(encrypted({ provider }), { ...host, managers });
    const written = changes.filter(({ after }) => after.includes("wireguard-go weave-wg"));
    assert.is(written.length, 1, provider);
    assert.ok(written[0]?.after.includes(`|| { systemctl stop weave-wg-go 2>/dev/null; ${start}; }`), provider);
  }
});

test("a wireguard-go in another unit or session is restarted in its own unit, before anything that could end it", () => {
  const steady = { ...with_(encrypted()), ...BOUND };
  const started = (more: object, wireguardGoState = "inactive", options = encrypted()) =>
    inWords(
      plan(options, {
        ...bySystemd({ ...steady, wireguardNeeds: { ...NEEDS, implementation: "wireguard-go" } }, wireguardGoState),
        wireguard: { ...steady.wireguard, byProgram: true } as ObservedWireguard,
        ...more,
      }).changes,
    );
  const ends = (changes: ReturnType<typeof started>): boolean =>
    changes.some(({ steps }) => steps.includes("ip link del dev weave-wg"));
  const [first, ...others] = started({});
  assert.equal([first?.subject, first?.steps], ["bridge weave: wireguard-go", ["ip link del dev weave-wg"]]);
  assert.ok(others.some(({ steps }) => steps.some((step) => step.startsWith("systemd-run"))));
  const again = others.find(({ subject }) => subject === "bridge weave: datapath");
  assert.ok(again?.steps[0]?.startsWith("ip link add name weave-vx"), "the VXLAN went with its device");
  assert.not.ok(ends(started({}, "active")));
  assert.not.ok(ends(started({ wireguard: steady.wireguard })), "the kernel's own device");
  const [off] = started({}, "inactive", vxlan());
  assert.equal(off?.steps, ["ip link del dev weave-wg"], "without encryption it ends first, too");
});

test("at boot the bridge has its address and rule first, and what encrypts may fail", () => {
  for (const [provider, mark] of [
    ["ifupdown", /^ {2}post-up .* \|\| true$/],
    ["systemd", /^ExecStart=-/],
  ] as const) {
    const content = plan(encrypted({ provider }), bySystemd(HOST)).changes.find(({ after }) =>
      after.includes("ip addr replace 10.2.0.1/16"),
    )?.after;
    const lines = (content ?? "").split("\n");
    const at = (text: string): number => lines.findIndex((line) => line.includes(text));
    assert.ok(at("10.2.0.1/16") < at("iptables -w -I"), provider);
    const tunnel = lines.filter((line) => !/^Exec(Stop)|p(re|ost)-down/.test(line) && /weave-(wg|vx)/.test(line));
    assert.ok(tunnel.length > 8);
    for (const line of tunnel) assert.match(line, mark);
    assert.ok(at("weave-wg") > at("iptables -w -I"), provider);
  }
});

test("a device that is as desired needs nothing", () => {
  assert.equal(about(encrypted(), with_(encrypted())), []);
});

test("what differs is synchronised from the file, and sessions with others go on", () => {
  const drifts: Record<string, (dump: string) => string> = {
    "another port": (dump) => dump.replace("\t51820\t", "\t51821\t"),
    "a peer less": (dump) => dump.replace(/\n.*$/, ""),
    "the address of a peer that was never heard from": (dump) =>
      dump.replace("192.168.50.12:51820\t", "192.168.50.99:51820\t").replaceAll("\t900\t", "\t0\t"),
    "no preshared key": (dump) => dump.replace(/(\n\S+\t)\S+/, "$1(none)"),
  };
  for (const [what, drift] of Object.entries(drifts)) {
    const [change, ...others] = about(encrypted(), with_(encrypted(), drift));
    assert.equal(
      [change?.subject, change?.steps],
      ["bridge weave: encryption", [`wg syncconf weave-wg ${PATH}`]],
      what,
    );
    assert.equal(others, [], what);
  }
  for (const handshake of ["900", "1"]) {
    const roamed = with_(encrypted(), (dump) =>
      dump.replace("192.168.50.12:51820\t", "192.168.50.99:1024\t").replaceAll("\t900\t", `\t${handshake}\t`),
    );
    assert.equal(about(encrypted(), roamed), [], "a peer with this key may be anywhere, however long it is silent");
  }
});

test("the order in which a program lists the peers changes no plan and no diff", () => {
  const reversed = (dump: string): string => {
    const [own, ...peers] = dump.split("\n");
    return [own, ...peers.reverse()].join("\n");
  };
  assert.equal(about(encrypted(), with_(encrypted(), reversed)), []);
  for (const options of [encrypted({ password: "another staple of horses" }), encrypted({ peers: [] })]) {
    assert.equal(about(options, with_(encrypted(), reversed)), about(options, with_(encrypted())));
  }
});

test("another password is a disruption, another peer is none", () => {
  const { changes } = plan(encrypted({ password: "another staple of horses" }), with_(encrypted()));
  assert.equal(subjects(changes.filter(({ disruption }) => disruption)), ["bridge weave: encryption"]);
  const moved = plan(encrypted({ wireguard_port: 51821 }), with_(encrypted())).changes.filter(
    ({ disruption }) => disruption,
  );
  assert.match(moved[0]?.disruption ?? "", /^traffic with each other host, until it has the same .*port/);
  const joined = plan(encrypted({ peers: ["192.168.50.12", "192.168.50.13", "192.168.50.14"] }), with_(encrypted()));
  assert.equal(
    joined.changes.filter(({ disruption }) => disruption),
    [],
  );
});

test("a device that an interrupted run left down gets no second address from the kernel", () => {
  const ready = with_(encrypted());
  const down: ObservedBridge = { ...ready, wireguard: { ...(ready.wireguard as ObservedWireguard), up: false } };
  const [change] = about(encrypted(), down);
  assert.equal(change?.steps, ["ip link set dev weave-wg addrgenmode none", "ip link set dev weave-wg up"]);
});

test("turning encryption on or off interrupts traffic until the other hosts follow, and off is warned of", () => {
  const parameters = { ...{ id: 6783, port: 4789, local: "192.168.50.11" }, ...{ flags: [], ipv6: false } };
  const { bridge, vxlan: link } = steadyVxlan();
  const live = (device?: string): ObservedBridge => ({
    ...with_(encrypted()),
    bridge,
    vxlan: { ...link, parameters: { ...parameters, ...(device && { device }) } },
  });
  const warningsOf = (options: BridgeOptions) =>
    plan(options, live("weave-wg")).changes.flatMap(({ warning = [] }) => warning);
  const disruptionsOf = (options: BridgeOptions, observed: ObservedBridge) =>
    plan(options, observed).changes.flatMap(({ disruption = [] }) => disruption);
  const until = (turned: string) => `traffic with each other host, until its encryption is turned ${turned}, too`;
  assert.ok(disruptionsOf(encrypted(), live()).includes(until("on")));
  assert.ok(disruptionsOf(vxlan(), live("weave-wg")).includes(until("off")));
  assert.match(
    warningsOf(vxlan()).join(),
    /^password: must be set, .*no longer encrypted .*\. Set it again unless you want to turn encryption off\.$/,
  );
  assert.is(warningsOf(router()).length, 1);
  for (const meant of [
    router({ router_encrypts: true }),
    encrypted(),
    vxlan({ state: "absent", ignore_docker_ports: true }),
  ]) {
    assert.equal(warningsOf(meant), []);
  }
});

test("without a password the device and its file go last; another's file of that name stays", () => {
  const left = about(vxlan(), with_(encrypted()));
  assert.equal(
    left.map(({ steps }) => steps),
    [["ip link del dev weave-wg"], [`remove ${PATH}`]],
  );
  const foreign = { ...with_(encrypted()), files: new Map([[PATH, { content: "[Interface]\n", mode: 0o600 }]]) };
  assert.equal(about(vxlan(), foreign), []);
  assert.match(errorOf(encrypted(), foreign), /^name: \/etc\/wireguard\/weave-wg\.conf must be this module's own file/);
});

test("without its file, the device of this bridge's VXLAN is removed, and no other", () => {
  const { wireguard } = with_(encrypted());
  const removed = (device: string): string[] => {
    const parameters = { ...{ id: 6783, port: 4789, local: "fe80::1", device }, ...{ flags: [], ipv6: true } };
    const observed = { ...HOST, wireguard, vxlan: { ...steadyVxlan().vxlan, parameters } };
    return subjects(plan(vxlan({ state: "absent" }), observed).changes).filter((subject) =>
      subject.includes("encryption"),
    );
  };
  assert.equal([removed("weave-wg"), removed("eth0")], [["bridge weave: encryption"], []]);
});

test("absent removes the device before ifdown, whose commands would fail after it did", () => {
  const there = { ...with_(encrypted()), upInIfupdown: true };
  const steps = inWords(plan(encrypted({ state: "absent" }), there).changes).flatMap((change) => change.steps);
  assert.equal(steps, ["ip link del dev weave-wg", "ifdown --force --ignore-errors weave", `remove ${PATH}`]);
});

test("a file with the keys that root does not own is written again, as its owner can read it", () => {
  const steady = with_(encrypted());
  const own = (owner: number) => {
    const file = { content: "", mode: 0o600, ...steady.files.get(PATH), owner };
    return about(encrypted(), { ...steady, files: new Map([...steady.files, [PATH, file]]) });
  };
  assert.equal(own(0), []);
  const [change] = own(1);
  assert.equal([change?.subject, change?.steps], [PATH, [`remove ${PATH}`, `write ${PATH} 0600`]]);
  assert.match(change?.before ?? "", /^owner 1\n/);
  assert.not.match(JSON.stringify(change), /(Private|Preshared)Key = [^*]/);
});

test("the unit for systemd-networkd hosts is removed once nothing needs it", () => {
  const managers = { ...HOST.managers, systemd: true, networkd: "manages", tunnelUnitState: "active" } as const;
  const host = { ...HOST, managers };
  const stop = "weave-wg.service: state";
  assert.not.ok(subjects(plan(encrypted(), host).changes).includes(stop));
  for (const options of [vxlan(), encrypted({ provider: "systemd" }), router({ state: "absent", host_index: null })]) {
    const change = inWords(plan(options, host).changes).find(({ subject }) => subject === stop);
    assert.equal(change?.steps, ["systemctl daemon-reload", "systemctl stop weave-wg.service"]);
  }
});

test("systemd-networkd releases a VXLAN before it is created again inside WireGuard", () => {
  const clear = { ...steadyVxlan(), wireguardNeeds: NEEDS };
  const netdev = "/etc/systemd/network/05-weave-vx.netdev";
  const files = new Map([...clear.files, [netdev, { content: "", mode: 0o644 }]]);
  const managers = { ...HOST.managers, systemd: true, networkd: "manages" } as const;
  const order = subjects(plan(encrypted(), { ...clear, files, managers }).changes);
  assert.ok(order.indexOf(netdev) < order.indexOf("bridge weave: datapath"), order.join());
});

test.run();
