import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { currentBridge } from "../../../../modules/command/current/bridge";
import type { Managers, Provider } from "../../../../modules/weave_bridge/observed";
import { type BridgeOptions, options } from "../../../../modules/weave_bridge/options";
import { networkdPaths, stanzaPath, unitPath, wireguardPath } from "../../../../modules/weave_bridge/own_files";
import { plan } from "../../../../modules/weave_bridge/plan";
import { tunnelAddressOf } from "../../../../modules/weave_bridge/wireguard/keys";
import { fakeHost } from "../../support/fake_host/fake_host";
import { optionsOf } from "../../support/options";
import { userErrorOf } from "../../support/user_error";
import { FRESH, golden, MAC, vxlan } from "../../weave_bridge/fixtures";

const ETH0 = `2: eth0: <BROADCAST,UP> mtu 1500
    link/ether 0e:00:00:00:00:11 brd ff:ff:ff:ff:ff:ff
    inet 192.168.50.11/24 scope global eth0
`;
const LIVE = `${ETH0}5: weave: <BROADCAST,UP> mtu 1450
    link/ether ${MAC} brd ff:ff:ff:ff:ff:ff promiscuity 0
    inet 10.2.0.3/16 scope global weave
6: weave-vx: <BROADCAST,UP> mtu 1450 master weave
    link/ether 9a:d1:47:9d:4f:10 brd ff:ff:ff:ff:ff:ff
    vxlan id 42 local 192.168.50.11 srcport 0 0 dstport 4790 ttl auto
`;

function current(
  files: Record<string, string>,
  given: Record<string, unknown> = {},
  links = ETH0,
  fdb = "",
  dockerSubnet: string | null = null,
): Partial<BridgeOptions> {
  const host = fakeHost({
    files,
    kernel: { "/sys/class/net/eth0/mtu": "1500", "/proc/self/status": "Uid:\t0\t0\t0\t0" },
    programs: { "ip -d addr show": links, "bridge fdb show dev weave-vx": fdb },
  });
  return currentBridge(optionsOf(options, given), new Set(Object.keys(given)), host, dockerSubnet);
}

const file = (name: string): string => readFileSync(golden(name), "latin1");
const VXLAN = {
  network: "10.2.0.0/16",
  host_index: 1,
  datapath: "vxlan",
  mac: MAC,
  firewall: "check",
  provider: "ifupdown",
  mtu: 1450,
  peers: ["192.168.50.12", "192.168.50.13"],
  vxlan_id: 6783,
  vxlan_port: 4789,
  underlay: "192.168.50.11",
};
const NETWORKD = Object.fromEntries([
  ...networkdPaths("weave").map((path) => [path, file(path.replace(/.*\//, ""))]),
  ["/etc/systemd/system/docker.service.d/weave-bridge.conf", file("weave-bridge.conf")],
]);
const BY_PROVIDER: Record<string, Record<string, string>> = {
  ifupdown: { [stanzaPath("weave")]: file("vxlan.cfg") },
  networkd: NETWORKD,
  systemd: { [unitPath("weave")]: file("weave-bridge.service") },
};

test("a password for a bridge that is not encrypted yet: its MTU, which would no longer fit, is not kept", () => {
  const files = { [stanzaPath("weave")]: file("vxlan.cfg") };
  const { mtu: _, ...rest } = VXLAN;
  assert.equal(current(files), VXLAN);
  assert.equal(current(files, { password: "a password of 16 characters" }), rest);
});

test("an encrypted bridge is not left without its password, and keeps its peers, underlay and MTU", () => {
  const own = tunnelAddressOf({ network: "10.2.0.0/16", vxlanId: 6783 }, "192.168.50.11");
  const inside = file("vxlan.cfg").replace("192.168.50.11", `${own} dev weave-wg`).replaceAll("1450", "1370");
  const stanza = inside.replace(/dst ([\d.]+)/g, "dst fe80::5555:6666:7777:8888 via weave-wg");
  const keys = "# Ansible managed (weave_bridge). Manual\n[Interface]\nListenPort = 51821\nPrivateKey = x\n";
  const files = {
    [stanzaPath("weave")]: stanza,
    [wireguardPath("weave")]: `${keys}[Peer]\nEndpoint = 192.168.50.12:51821\n`,
  };
  assert.match(
    userErrorOf(() => current(files)),
    /^password: must be given for an encrypted bridge, .* \(found \/etc\/wireguard\/weave-wg\.conf\)\. Give it/,
  );
  const kept = current(files, { password: "correct horse battery staple" }) as Record<string, unknown>;
  assert.equal(
    [kept["datapath"], kept["peers"], kept["wireguard_port"], kept["mtu"], kept["underlay"]],
    ["vxlan", ["192.168.50.12"], 51821, 1370, "192.168.50.11"],
  );
  const password = "correct horse battery staple";
  const moved = ETH0.replace("50.11", "50.19");
  assert.match(
    userErrorOf(() => current(files, { password }, moved)),
    /^wireguard_identity: must be given, .* \(found that the key in \/etc\/wireguard\/weave-wg\.conf belongs to .*\)\. Give /,
  );
  for (const given of [{ wireguard_identity: "203.0.113.7" }, { underlay: "192.168.50.19" }]) {
    const { datapath, underlay } = current(files, { password, ...given }, moved) as Record<string, unknown>;
    assert.equal([datapath, underlay], ["vxlan", undefined]);
  }
});

for (const [provider, files] of Object.entries(BY_PROVIDER)) {
  test(`what the last run wrote for ${provider} is what options that are not given mean`, () => {
    assert.equal(current(files), { ...VXLAN, provider });
  });
}

test("of two providers' files, as an interrupted run leaves them, neither is known to be meant", () => {
  assert.equal(current({ ...BY_PROVIDER["ifupdown"], ...BY_PROVIDER["systemd"] }).provider, undefined);
});

const MANAGERS: Record<Provider, Partial<Managers>> = {
  ifupdown: {},
  networkd: { networkd: "manages", networkdAtBoot: true },
  systemd: { systemd: true, ifupdown: false },
};

for (const provider of ["ifupdown", "networkd", "systemd"] as const) {
  for (const firewall of ["check", "manage", "off"] as const) {
    for (const firewalld of [true, false]) {
      test(`${firewall} stays, by ${provider}, ${firewalld ? "under firewalld" : "where no firewall closes anything"}`, () => {
        const managers = { ...FRESH.managers, ...MANAGERS[provider], firewalld };
        const observed = { ...FRESH, managers, firewalldHasForwardRule: firewalld ? firewall === "manage" : null };
        const files = plan(vxlan({ provider, firewall }), observed).changes.flatMap(({ actions }) =>
          actions.flatMap((action) => (action.do === "write" ? [[action.path, action.content] as const] : [])),
        );
        const found = current(Object.fromEntries(files));
        assert.equal([found.provider, found.firewall], [provider, firewall]);
      });
    }
  }
}

test("a bridge for the router stays one", () => {
  const { peers, vxlan_id, vxlan_port, underlay, ...others } = VXLAN;
  const files = { [stanzaPath("weave")]: file("router.cfg") };
  const expected = { ...others, datapath: "router", mtu: 1438, peers: [] };
  assert.equal(current(files), expected);
  const environment = 'WEAVE_PEERS="192.168.50.12:6784 host3"\n';
  assert.equal(current({ ...files, "/etc/weave.env": environment }), {
    ...expected,
    peers: ["192.168.50.12", "host3"],
  });
  // The MTU belongs to the datapath.
  assert.is("mtu" in current(files, { datapath: "vxlan" }), false);
});

test("an index or address that is given counts; the network stays", () => {
  const files = { [stanzaPath("weave")]: file("vxlan.cfg").replace("10.2.0.1/16", "10.4.0.1/16") };
  const { host_index, network, ...others } = VXLAN;
  assert.equal(current(files, { host_index: 3 }), { ...others, network: "10.4.0.0/16" });
  assert.equal(current(files, { address: "10.5.0.9/16" }), others);
  // Of which the containers' subnet is computed.
  assert.equal(current(files, { address: "10.4.0.9/16" }), { ...others, network: "10.4.0.0/16", host_index: 1 });
});

test("an address that no index has stays by itself", () => {
  const files = { [stanzaPath("weave")]: file("vxlan.cfg").replace("10.2.0.1/16", "10.2.9.9/16") };
  const { host_index, network, ...others } = VXLAN;
  assert.equal(current(files), { ...others, address: "10.2.9.9/16" });
});

test("an index beyond the first block is found again", () => {
  const files = { [stanzaPath("weave")]: file("vxlan.cfg").replace("10.2.0.1/16", "10.2.255.254/16") };
  assert.equal(current(files, { docker_prefix: 28 }), { ...VXLAN, host_index: 16 });
});

/** The addresses of a bridge, and of Docker on it, as options that are not given mean them. */
function addresses(address: string, dockerSubnet: string, given: Record<string, unknown> = {}): object {
  const files = { [stanzaPath("weave")]: file("vxlan.cfg").replace("10.2.0.1/16", address) };
  const { host_index, docker_prefix, docker_subnet, network } = current(files, given, ETH0, "", dockerSubnet);
  return JSON.parse(JSON.stringify({ host_index, docker_prefix, docker_subnet, network }));
}

test("the subnets' size is Docker's, where its subnet is the index's", () => {
  const ofFour = { host_index: 4, docker_prefix: 22, network: "10.128.0.0/9" };
  assert.equal(addresses("10.128.0.4/9", "10.128.16.0/22"), ofFour);
  assert.equal(addresses("10.2.0.1/16", "10.2.1.0/24"), { host_index: 1, docker_prefix: 24, network: "10.2.0.0/16" });
  // Beyond the first block of 256 addresses.
  assert.equal(addresses("10.128.1.44/9", "10.132.176.0/22"), { ...ofFour, host_index: 300 });
  // With another index, in the same network or another one.
  const { host_index: _, ...others } = ofFour;
  assert.equal(addresses("10.128.0.4/9", "10.128.16.0/22", { host_index: 5 }), others);
  assert.equal(addresses("10.128.0.4/9", "10.128.16.0/22", { network: "10.0.0.0/9" }), ofFour);
});

test("a subnet of Docker's that no index has stays as it is", () => {
  const ofFive = { host_index: 5, network: "10.2.0.0/16" };
  assert.equal(addresses("10.2.0.5/16", "10.2.100.0/24"), { ...ofFive, docker_subnet: "10.2.100.0/24" });
  assert.equal(addresses("10.2.0.5/16", "10.2.100.0/25"), { ...ofFive, docker_subnet: "10.2.100.0/25" });
  assert.equal(addresses("10.2.7.7/16", "10.2.100.0/24"), { docker_subnet: "10.2.100.0/24" });
  assert.equal(addresses("10.2.7.7/16", "10.2.100.0/24", { address: "10.2.7.8/16" }), {
    docker_subnet: "10.2.100.0/24",
  });
  // What is given instead decides.
  assert.equal(addresses("10.2.0.5/16", "10.2.100.0/24", { docker_prefix: 25 }), ofFive);
  assert.equal(addresses("10.2.0.5/16", "10.2.100.0/24", { host_index: 6 }), { network: "10.2.0.0/16" });
  assert.equal(addresses("10.2.0.5/16", "10.2.100.0/24", { network: "10.9.0.0/16" }), ofFive);
});

test("a subnet of Docker's outside the bridge's network, and the whole network, tell nothing", () => {
  for (const subnet of ["", "10.2.0.0/16", "172.17.0.0/24", "fd00::/64", "text"])
    assert.equal(addresses("10.2.0.5/16", subnet), { host_index: 5, network: "10.2.0.0/16" }, subnet);
});

test("an underlay address or MTU that this host no longer has is not kept", () => {
  const { mtu, underlay, ...others } = VXLAN;
  assert.equal(current({ [stanzaPath("weave")]: file("vxlan.cfg") }, {}, ETH0.replace("50.11", "50.77")), others);
});

test("the MTU stays with the same underlay by another name, and goes with another one", () => {
  const files = { [stanzaPath("weave")]: file("vxlan.cfg") };
  const { mtu, ...others } = VXLAN;
  for (const underlay of ["eth0", "192.168.50.11"]) assert.equal(current(files, { underlay }), VXLAN);
  assert.equal(current(files, { underlay: "eth1" }), others);
});

test("without a file of this module's, what is live counts", () => {
  const fdb = "00:00:00:00:00:00 dst 192.168.50.12 self permanent\n";
  const { mac, mtu, firewall, provider, ...others } = VXLAN;
  const live = { ...others, host_index: 3, vxlan_id: 42, vxlan_port: 4790, peers: ["192.168.50.12"] };
  assert.equal(current({ [stanzaPath("weave")]: "auto weave\n" }, {}, LIVE, fdb), live);
});

test("on a fresh host, and for a removal, nothing is known", () => {
  assert.equal(current({}), {});
  assert.equal(current(NETWORKD, { state: "absent" }), {});
});

test.run();
