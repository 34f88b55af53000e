import { test } from "uvu";
import * as assert from "uvu/assert";
import { derivedMac } from "../../../modules/net/validators";
import { resolveDesired } from "../../../modules/weave_bridge/desired";
import type { OtherSetting } from "../../../modules/weave_bridge/observed";
import type { BridgeOptions } from "../../../modules/weave_bridge/options";
import { findOtherSettings } from "../../../modules/weave_bridge/providers/other_settings";
import { fakeHost } from "../support/fake_host/fake_host";
import { userErrorOf } from "../support/user_error";
import { FRESH, MAC, router, vxlan } from "./fixtures";

const INTERFACES = "/etc/network/interfaces";
const D = "/etc/network/interfaces.d";
const NETWORKD = { ...FRESH.managers, ifupdown: false, networkd: "manages" as const, networkdAtBoot: true };

/** The directories of these files, with the names in them. */
function directories(files: Readonly<Record<string, string>>): Record<string, string[]> {
  const names: Record<string, string[]> = {};
  for (const path of Object.keys(files)) {
    const parts = path.split("/").slice(1);
    parts.forEach((part, index) => {
      const directory = `/${parts.slice(0, index).join("/")}`;
      const known = names[directory] ?? [];
      names[directory] = known.includes(part) ? known : [...known, part];
    });
  }
  return names;
}

function settings(
  files: Readonly<Record<string, string>>,
  { options = router() as BridgeOptions, managers = FRESH.managers, machineId = FRESH.machineId } = {},
): readonly OtherSetting[] {
  const kernel = { "/etc/machine-id": machineId };
  return findOtherSettings(options, managers, fakeHost({ files, kernel, names: directories(files) }));
}
const places = (...args: Parameters<typeof settings>): string[] =>
  settings(...args).map(({ path, line, text }) => `${path}:${line} ${text}`);

test("a stanza of the bridge is found in every file that ifupdown reads", () => {
  const found = places({
    [INTERFACES]: `# comment\nsource interfaces.d/*\nsource-directory ${D}\nauto weave\niface weave inet dhcp\n`,
    [`${D}/weave.cfg`]: "iface weave inet manual\n",
    [`${D}/other`]: "\n\niface \\\n weave inet6 auto\n  source\nsource /srv/net/?.conf\n",
    [`${D}/.hidden`]: "iface weave inet manual\n",
    "/srv/net/a.conf": "iface weave inet static\nsource /etc/network/interfaces\n",
    "/srv/net/ab.conf": "iface weave inet static\n",
    "/etc/network/other": "iface weave inet static\n",
  });
  assert.equal(found, [
    `${D}/other:3 iface weave inet6 auto`,
    "/srv/net/a.conf:1 iface weave inet static",
    `${INTERFACES}:5 iface weave inet dhcp`,
  ]);
});

test("source-directory reads names without a dot", () => {
  const stanza = "iface weave inet dhcp\n";
  const files = { [INTERFACES]: "source-directory interfaces.d/\n", [`${D}/a.cfg`]: stanza, [`${D}/b-0`]: stanza };
  assert.equal(places(files), [`${D}/b-0:1 iface weave inet dhcp`]);
});

// ifquery --list of ifupdown 0.8.41, with files of these names.
test("a relative path is in the directory of the file that names it", () => {
  const stanza = "iface weave inet dhcp\n";
  const files = {
    [INTERFACES]: "source sub/one\n",
    "/etc/network/sub/one": "source ./two\nsource ../three\nsource-dir four\n",
    ...{ "/etc/network/sub/two": stanza, "/etc/network/two": stanza, "/etc/network/three": stanza },
    ...{ "/etc/network/sub/four/a": stanza, "/etc/network/four/a": stanza },
  };
  assert.equal(
    places(files).map((place) => place.replace(/:.*/, "")),
    ["/etc/network/sub/two", "/etc/network/three", "/etc/network/sub/four/a"],
  );
});

test("so is another bridge that takes the VXLAN as its port, and a stanza of the VXLAN, if there is to be one", () => {
  const files = { [INTERFACES]: "iface br0 inet dhcp\n  bridge_ports eth0 weave-vx\niface weave-vx inet manual\n" };
  assert.equal(places(files, { options: vxlan() }), [
    `${INTERFACES}:2 bridge_ports eth0 weave-vx`,
    `${INTERFACES}:3 iface weave-vx inet manual`,
  ]);
  assert.equal(places(files), []);
});

test("files of programs that are not there don't count, and none does for an absent bridge", () => {
  const files = {
    [INTERFACES]: "iface weave inet dhcp\n",
    "/etc/systemd/network/01-all.network": "[Match]\nName=*\n",
  };
  assert.equal(places(files, { managers: { ...FRESH.managers, ifupdown: false } }), []);
  assert.equal(places(files).length, 1);
  assert.equal(places(files, { options: router({ state: "absent" }) }), []);
  const ifupdown2 = { ...FRESH.managers, ifupdown: false, otherIfupdown: "ifupdown2" };
  assert.equal(places(files, { managers: ifupdown2 }).length, 1);
});

const F = "/etc/systemd/network";
const matching = (match: string, file = `${F}/01-all.network`, options: BridgeOptions = router()): boolean =>
  settings({ [file]: `[Match]\n${match}\n[Network]\nDHCP=yes\n` }, { options, managers: NETWORKD }).length > 0;

test("a .network that matches the bridge is found by what it matches", () => {
  for (const match of [
    ...["Name=*", "Name=eth* we*", "Name=!eth*", "Kind=bridge", "Driver=bridge", "Type=bridge", "Type=ether"],
    ...[
      "Kind=!veth",
      `MACAddress=0e:00:00:00:00:01 ${MAC.toUpperCase()}`,
      "Name=weave\nHost=apollo1",
      "Name=\nKind=bri*",
    ],
  ]) {
    assert.ok(matching(match), match);
  }
  for (const match of [
    ...[
      "Name=eth*",
      "Name=!weave eth0",
      "Kind=vxlan",
      "Type=wlan",
      "MACAddress=0e:00:00:00:00:01",
      "",
      "Name=*\nKind=vlan",
    ],
    ...["Path=pci-*", "PermanentMACAddress=0e:00:00:00:00:01", "Name=*\nDriver=virtio_net"],
  ]) {
    assert.not.ok(matching(match), match);
  }
  assert.ok(matching("Kind=vxlan", `${F}/01-all.network`, vxlan()));
});

test("no MAC address is derived from a machine-id that a first boot has not set yet", () => {
  const mac = derivedMac("uninitialized weave");
  const files = { [`${F}/01-all.network`]: `[Match]\nMACAddress=${mac}\n` };
  assert.equal(settings(files, { managers: NETWORKD, machineId: "uninitialized" }), []);
});

// config_parse_match_ifnames() and net_condition_test_strv() of systemd 252; its networkd took, or left, a bridge by each of these.
test("the lines of one key in [Match] are one list, which an empty one begins anew", () => {
  for (const match of [
    ...["Name=eth0\nName=weave", "Name=weave\nName=eth0", "Name=eth0\nName=\nName=weave", "Kind=veth\nKind=bridge"],
    ...[
      "Name=!eth0\nName=weave",
      `MACAddress=0e:00:00:00:00:01\nMACAddress=${MAC.replace(/:/g, "-")}`,
      `MACAddress=${MAC.replace(/:(..):/g, "$1.").replace(/:/, "")}`,
    ],
  ])
    assert.ok(matching(match), match);
  for (const match of [
    ...["Name=weave\nName=", "Name=weave\nName=\nName=eth0", "Name=w*\nName=!weave", "Name=eth0\nName=!eth1"],
    ...["Name=*\nKind=bridge\nKind=\nKind=vlan", 'Name="weave"', "OriginalName=weave", "Name=weave !weave"],
  ])
    assert.not.ok(matching(match), match);
  const first = settings({ [`${F}/01.network`]: "[Match]\nName=eth0\nName=weave\n" }, { managers: NETWORKD });
  assert.is(first[0]?.line, 3);
});

test("of the files with one name the first directory's counts, and an empty one or a link to nowhere masks it", () => {
  const all = "[Match]\nName=*\n";
  const path = "/run/systemd/network/01-all.network";
  const found = (more: Record<string, string>): string[] =>
    places({ "/usr/lib/systemd/network/01-all.network": all, ...more }, { managers: NETWORKD });
  assert.equal(found({}), ["/usr/lib/systemd/network/01-all.network:2 Name=*"]);
  assert.equal(found({ [path]: `\n${all}` }), [`${path}:3 Name=*`]);
  assert.equal(found({ [`${F}/01-all.network`]: "" }), []);
});

test("a .netdev of the same name is found, wherever it sorts", () => {
  const path = "/run/systemd/network/10-netplan-weave.netdev";
  const found = settings({ [path]: "[NetDev]\nName=weave\nKind=bridge\n" }, { managers: NETWORKD });
  assert.equal(found, [{ reader: "networkd", device: "weave", path, line: 2, text: "Name=weave", comesFirst: true }]);
  assert.equal(
    settings({ [path]: "[NetDev]\nName=weave\nName=other\n" }, { managers: NETWORKD }),
    [],
    "the last counts",
  );
});

test("systemd-networkd counts from when it is to start at boot", () => {
  const files = { [`${F}/01-all.network`]: "[Match]\nName=*\n" };
  assert.equal(places(files, { managers: FRESH.managers }), []);
  assert.equal(places(files, { managers: { ...FRESH.managers, networkdAtBoot: true } }).length, 1);
});

test("this module's own files are not others'", () => {
  const files = {
    [`${F}/05-weave.network`]: "[Match]\nName=weave\n",
    [`${F}/05-weave.netdev`]: "[NetDev]\nName=weave\n",
    [`${F}/05-weave-vx.network`]: "[Match]\nName=weave-vx\n",
  };
  assert.equal(places(files, { options: vxlan(), managers: NETWORKD }), []);
});

test("drop-ins count: of this module's files in any directory, and of another file as if they were in it", () => {
  const own = {
    [`${F}/05-weave.network.d/mtu.conf`]: "[Link]\nMTUBytes=1300\n",
    "/run/systemd/network/05-weave.netdev.d/a.conf": "[NetDev]\nMACAddress=02:00:00:00:00:01\n",
    "/usr/lib/systemd/network/05-weave.network.d/mtu.conf": "[Link]\nMTUBytes=1200\n",
    [`${F}/05-weave.network.d/notes.txt`]: "[Link]\nMTUBytes=1200\n",
  };
  const found = places(own, { managers: NETWORKD });
  assert.equal(found.sort(), [
    `${F}/05-weave.network.d/mtu.conf:2 MTUBytes=1300`,
    "/run/systemd/network/05-weave.netdev.d/a.conf:2 MACAddress=02:00:00:00:00:01",
  ]);
  const added = {
    [`${F}/01-lan.network`]: "[Match]\nName=eth* w*\n",
    [`${F}/01-lan.network.d/a.conf`]: "[Match]\nKind=vlan\n",
  };
  assert.equal(places(added, { managers: NETWORKD }), []);
  const masked = { [`${F}/01-lan.network`]: "", [`${F}/01-lan.network.d/a.conf`]: "[Match]\nName=weave\n" };
  assert.equal(places(masked, { managers: NETWORKD }), []);
});

test("of the unit's drop-ins those that change its commands count, where it is the provider", () => {
  const directory = "/etc/systemd/system/weave-bridge.service.d";
  const files = {
    [`${directory}/a.conf`]: "[Unit]\nAfter=local-fs.target\n",
    [`${directory}/b.conf`]: "[Service]\nExecStart=\nExecStart=/bin/true\n",
  };
  const otherSettings = settings(files);
  assert.equal(places(files).at(-1), `${directory}/b.conf:3 ExecStart=/bin/true`);
  const host = { ...FRESH, managers: { ...FRESH.managers, systemd: true }, otherSettings };
  assert.match(
    userErrorOf(() => resolveDesired(router({ provider: "systemd" }), host)),
    `(found "ExecStart=" in ${directory}/b.conf, line 2)`,
  );
  resolveDesired(router(), host);
});

const P = "NetworkManager/system-connections";
const PROFILE = "[connection]\nid=bridge\ntype=bridge\ninterface-name=weave\n";

test("a profile of NetworkManager is found, the first of its name, unless NetworkManager made it up", () => {
  const managers = { ...FRESH.managers, networkManagerAtBoot: true };
  const [own, made] = [`/etc/${P}/br.nmconnection`, `/run/${P}/weave.nmconnection`];
  const files = {
    [own]: PROFILE,
    [`/run/${P}/netplan-vx`]: "[connection]\ninterface-name=weave-vx\n[vxlan]\nid=1\n",
    [`/etc/${P}/eth0.nmconnection`]: "[connection]\ninterface-name=eth0\n[match]\ninterface-name=weave\n",
    // NetworkManager 1.42 keeps such a file for a bridge that somebody else made.
    [made]: `${PROFILE}[.nmmeta]\nnm-generated=true\nvolatile=true\nexternal=true\n`,
  };
  assert.equal(places(files, { managers }), [`${own}:4 interface-name=weave`]);
  assert.equal(places(files, { managers, options: vxlan() }).length, 2);
  assert.equal(places(files), [], "it does not run");
  assert.equal(places({ [own]: "", [`/run/${P}/br.nmconnection`]: PROFILE }, { managers }), []);
  const [found] = settings(files, { managers });
  assert.equal([found?.reader, found?.comesFirst], ["NetworkManager", true]);
});

test("a setting of others is rejected with its file and line, unless systemd-networkd takes this module's file first", () => {
  const setting = {
    reader: "ifupdown" as const,
    device: "weave",
    path: INTERFACES,
    line: 12,
    text: "iface weave inet dhcp",
  };
  assert.is(
    userErrorOf(() => resolveDesired(router(), { ...FRESH, otherSettings: [{ ...setting, comesFirst: true }] })),
    `name: only this module may configure weave at boot (found "iface weave inet dhcp" in ${INTERFACES}, line 12). ` +
      "Remove it there, or set another name.",
  );
  const late = settings({ [`${F}/99-all.network`]: "[Match]\nName=*\n" }, { managers: NETWORKD });
  assert.equal(
    late.map(({ comesFirst }) => comesFirst),
    [false],
  );
  resolveDesired(router(), { ...FRESH, managers: NETWORKD, otherSettings: late });
  const both = { ...FRESH, managers: { ...FRESH.managers, networkd: "runs" as const }, otherSettings: late };
  assert.match(
    userErrorOf(() => resolveDesired(router({ provider: "ifupdown" }), both)),
    '(found "Name=*" in /etc/systemd/network/99-all.network, line 2)',
  );
  const { managers } = FRESH;
  resolveDesired(router({ provider: "systemd" }), { ...both, managers: { ...managers, systemd: true } });
});

test.run();
