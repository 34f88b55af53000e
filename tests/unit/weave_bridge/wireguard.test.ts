import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseOptions } from "../../../modules/core/options";
import { parseWireguardDump } from "../../../modules/formats/wireguard";
import { resolveDesired } from "../../../modules/weave_bridge/desired";
import type { ObservedBridge, ObservedWireguard } from "../../../modules/weave_bridge/observed";
import { type BridgeOptions, options } from "../../../modules/weave_bridge/options";
import { wireguardPath } from "../../../modules/weave_bridge/own_files";
import { plan } from "../../../modules/weave_bridge/plan";
import { inWords, subjects } from "../support/changes";
import { userErrorOf } from "../support/user_error";
import { FRESH, router, steadyVxlan, vxlan } from "./fixtures";

const NEEDS = { tools: true, by: "kernel", tun: true, ipv6: true, portHolder: null } as const;
const HOST: ObservedBridge = { ...FRESH, wireguardNeeds: NEEDS };
const PASSWORD = "correct horse battery staple";
const encrypted = (more: Record<string, unknown> = {}): BridgeOptions => vxlan({ password: PASSWORD, ...more });
const errorOf = (options: BridgeOptions, observed = HOST): string => userErrorOf(() => plan(options, observed));
const needing = (needs: Partial<ObservedBridge["wireguardNeeds"]>): ObservedBridge => ({
  ...FRESH,
  wireguardNeeds: { ...NEEDS, ...needs },
});
const PATH = wireguardPath("weave");

/** A host with the file and the device that these options ask for; `change` edits the device's dump. */
function with_(options: BridgeOptions, change: (dump: string) => string = (dump) => dump): ObservedBridge {
  const { wireguard } = resolveDesired(options, HOST);
  if (wireguard === null) throw new Error("not encrypted");
  const { config, address, mtu } = wireguard;
  const rows = config.peers.map(({ publicKey, presharedKey, endpoint, allowedIps }) =>
    [publicKey, presharedKey ?? "(none)", endpoint, allowedIps.join(), "900", "1", "2", "off"].join("\t"),
  );
  const own = /public key (\S+)/.exec(plan(options, HOST).changes[2]?.after ?? "")?.[1];
  const dump = [[config.privateKey, own, config.port, "off"].join("\t"), ...rows].join("\n");
  const device: ObservedWireguard = {
    ...{ mac: "", mtu, up: true, master: null, addresses: [`${address}/64`], at: 1000, byProgram: false },
    config: parseWireguardDump(change(dump)),
  };
  const content = plan(options, HOST).changes[0]?.actions[0];
  if (content?.do !== "write") throw new Error("no file is written");
  const files = new Map([...HOST.files, [PATH, { content: content.content, mode: 0o600 }]]);
  return { ...HOST, files, wireguard: device };
}

/** The same host with systemd as process 1, and the state of wireguard-go's own unit. */
const bySystemd = (host: ObservedBridge, wireguardGoUnit = "inactive"): ObservedBridge => ({
  ...host,
  managers: { ...host.managers, systemd: true, wireguardGoUnit },
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

const about = (options: BridgeOptions, observed: ObservedBridge) =>
  inWords(plan(options, observed).changes).filter(({ subject }) => /wg|encryption/.test(subject));

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
  assert.is(first(needing({ by: "wireguard-go" })), "wireguard-go weave-wg");
});

test("under systemd, wireguard-go is started in a separate unit, in the run and at boot of each provider", () => {
  const start =
    "systemd-run --quiet --collect --unit=weave-wg-go --property=Type=forking --property=DefaultDependencies=no wireguard-go weave-wg";
  const host = bySystemd(needing({ by: "wireguard-go" }));
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
  const started = (more: object, wireguardGoUnit = "inactive", options = encrypted()) =>
    inWords(
      plan(options, {
        ...bySystemd({ ...steady, wireguardNeeds: { ...NEEDS, by: "wireguard-go" } }, wireguardGoUnit),
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
    /^password: must be set .*no longer encrypted .*\. Set it again unless you want to turn encryption off\.$/,
  );
  assert.is(warningsOf(router()).length, 1);
  for (const meant of [
    router({ encrypted: true }),
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

test("what the host lacks is named with a remedy", () => {
  assert.match(errorOf(encrypted(), needing({ tools: false })), /^password: needs wireguard-tools .* \(apt install /);
  assert.match(errorOf(encrypted(), needing({ by: null })), /wireguard-go, on this host \(found neither\)\. Install /);
  assert.match(errorOf(encrypted(), needing({ ipv6: false })), /^password: needs a kernel with IPv6/);
  assert.match(
    errorOf(encrypted(), needing({ portHolder: "x (process 1)" })),
    /^wireguard_port: UDP port 51820 must be free/,
  );
  const other = { ...HOST, wireguard: { ...with_(encrypted()).wireguard, config: null } as ObservedWireguard };
  assert.match(errorOf(encrypted(), other), /^name: weave-wg must be a WireGuard device, or not exist yet/);
  const small = { ...HOST, mtus: new Map([["eth0", 1339]]) };
  assert.match(
    errorOf(encrypted(), small),
    /^underlay: must have an MTU of 1340 or more with a password \(found 1339 on eth0\)/,
  );
  plan(encrypted(), { ...HOST, mtus: new Map([["eth0", 1340]]) });
});

test("wireguard-go needs /dev/net/tun, which the kernel's WireGuard does not", () => {
  assert.match(
    errorOf(encrypted(), needing({ by: "wireguard-go", tun: false })),
    /^password: wireguard-go needs \/dev\/net\/tun/,
  );
  plan(encrypted(), needing({ tun: false }));
});

test("IPv6 is turned on without another program", () => {
  const { changes } = plan(encrypted(), HOST);
  const setting = "/proc/sys/net/ipv6/conf/weave-wg/disable_ipv6";
  assert.ok(about(encrypted(), HOST).at(-1)?.steps.includes(`set ${setting} 0`));
  assert.not.match(JSON.stringify(changes), "sysctl");
  assert.match(changes[1]?.after ?? "", `echo 0 >${setting}`);
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
  const managers = { ...HOST.managers, systemd: true, networkd: "manages", tunnelUnit: "active" } as const;
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

test("options that contradict one another", () => {
  assert.match(errorOf(router({ password: PASSWORD })), /^password: needs datapath: vxlan/);
  assert.match(
    errorOf(encrypted({ password: "fifteen letters" })),
    /^password: must have at least 16 .* \(found 15, which are not shown\)/,
  );
  assert.match(errorOf(encrypted({ wireguard_port: 4789 })), /^wireguard_port: must differ from vxlan_port/);
  const key = `${"A".repeat(42)}E=`;
  assert.match(
    errorOf(encrypted({ wireguard_peer_keys: { "192.168.50.12": key } })),
    /^wireguard_peer_keys: needs wireguard_key/,
  );
  assert.match(
    errorOf(encrypted({ wireguard_key: key })),
    /^wireguard_peer_keys: must have the public key of each peer .*192\.168\.50\.12/,
  );
});

test("the identity behind NAT decides the keys, and is no peer", () => {
  const at = (identity: string) => {
    const { wireguard } = resolveDesired(
      encrypted({ wireguard_identity: identity, peers: ["203.0.113.7", "192.168.50.12"] }),
      HOST,
    );
    return wireguard?.config.peers.map(({ endpoint }) => endpoint);
  };
  assert.equal(at("203.0.113.7"), ["192.168.50.12:51820"]);
});

test("a key that is none is rejected; a private one is not shown", () => {
  const rejection = (given: Record<string, unknown>): string =>
    userErrorOf(() => parseOptions("weave_bridge", options, new Map(Object.entries(given))));
  for (const key of ["", "hunter2", `${"A".repeat(43)}B`, `${"A".repeat(42)}A=\n`]) {
    assert.is(
      rejection({ wireguard_key: key }),
      "wireguard_key: must be a WireGuard key (found a value of another form, not shown). Set it in base64, 44 characters, as wg " +
        "genkey prints it.",
    );
    assert.match(
      rejection({ wireguard_peer_keys: { "192.168.50.12": key } }),
      `wireguard_peer_keys: must be a WireGuard key (found "${key}"). Set it in base64`,
    );
  }
});

test("an identity that is another host's, or nobody's, is rejected", () => {
  const error = (wireguard_identity: string, more: object = {}): string =>
    errorOf(encrypted({ wireguard_identity, ...more }));
  const another =
    /^wireguard_identity: must be the address by which the peers know this host, .*\(found 192\.168\.50\.12, /;
  assert.match(error("192.168.50.12"), another, "this host is among the peers by its own address");
  assert.match(error("192.168.50.12", { peers: ["192.168.50.12"] }), another, "no peer is left");
  assert.match(
    error("10.2.0.5"),
    /^wireguard_identity: .* outside the container network 10\.2\.0\.0\/16 \(found 10\.2\.0\.5\)/,
  );
  assert.match(error("192.168.50.255"), /^wireguard_identity: .*broadcast address/);
  assert.match(
    errorOf(vxlan({ wireguard_identity: "203.0.113.7" })),
    /^wireguard_identity: needs password or wireguard_key \(found neither\)/,
  );
  plan(vxlan({ wireguard_identity: "203.0.113.7", state: "absent" }), HOST);
  plan(encrypted({ wireguard_identity: "192.168.50.11" }), HOST);
});

test("each peer has a different key", () => {
  const [own = "", other = ""] = ["A", "Q"].map((letter) => `${letter.repeat(42)}E=`);
  const error = errorOf(
    encrypted({ wireguard_key: own, wireguard_peer_keys: { "192.168.50.12": other, "192.168.50.13": other } }),
  );
  assert.match(error, `must have each host's own key (found ${other} for 192.168.50.12 and 192.168.50.13)`);
});

test.run();
