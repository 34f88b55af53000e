import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { weaveBridge } from "../../../modules/weave_bridge/plan";
import type { Directory } from "../support/fake_host/directory";
import { type FakeHost, fakeHostIn } from "../support/fake_host/fake_host";
import { device, vxlanDevice } from "../support/fake_host/kernel";
import { LINKS, Network } from "../support/fake_host/network";
import { forAllLater } from "../support/property";
import { assertCheckPredictsRun, inMemory, interrupt, type Options, runOn } from "./check_and_run";
import { type Found, found, putFound, text } from "./found_files";

const test = suite("the promise of weave_bridge's check");

const INTERFACES = text([
  "source /etc/network/interfaces.d/*",
  "source /etc/network/interfaces.d/*.cfg",
  "source-directory interfaces.d",
  "source interfaces.d/weave.cfg",
  "source /etc/network/interfaces.d/[!a-z",
  "auto lo",
  "iface lo inet loopback",
  "auto weave",
  "iface weave inet manual",
  "  pre-up /usr/local/bin/weave create-bridge",
  "# Added by Ansible's weave_bridge, which removes both lines with the bridge.",
]);
const STANZA = text([
  "auto weave",
  "iface weave inet manual",
  "  post-up ip addr add dev weave 10.2.0.7/16",
  "  post-down brctl delbr weave",
]);
const UNIT = text(["[Match]", "Name=weave", "[NetDev]", "Kind=bridge", "[Network]", "Address=10.2.0.9/16"]);
const OWN_UNIT = text([
  "[Service]",
  'ExecStart=/bin/sh -c "ip link add name weave type bridge"',
  'ExecStart=/bin/sh -c "ip addr replace 10.2.0.8/16 dev weave"',
  'ExecStop=-/bin/sh -c "ip link del dev weave"',
  "[Install]",
  "WantedBy=multi-user.target",
]);

const options: fc.Arbitrary<Options> = fc.record({
  state: fc.constantFrom("present", "present", "present", "absent"),
  force: fc.boolean(),
  ignore_docker_ports: fc.boolean(),
  host_index: fc.integer({ min: 1, max: 3 }),
  network: fc.constantFrom("10.2.0.0/16", "10.2.0.0/16", "10.3.0.0/16"),
  datapath: fc.constantFrom("router", "vxlan"),
  peers: fc.subarray(["192.168.50.11", "192.168.50.12", "192.168.50.13", "host1", "host2", "host3"]),
  underlay: fc.constantFrom(null, "eth0", "host1", "eth7"),
  vxlan_id: fc.constantFrom(6783, 7),
  mtu: fc.constantFrom(null, null, 1400),
  mac: fc.constantFrom(null, null, "0e:5f:33:00:00:09"),
  provider: fc.constantFrom("auto", "auto", "ifupdown", "networkd", "systemd"),
  firewall: fc.constantFrom("check", "manage", "off"),
});

interface NetworkHost {
  readonly directory: Directory;
  readonly host: FakeHost;
  readonly network: Network;
}

/** How a host may have changed since a run, by hand or by itself. */
const DRIFTS: Readonly<Record<string, (on: NetworkHost) => unknown>> = {
  "no bridge": ({ host }) => host.try("ip link del dev weave"),
  "another bridge": ({ host }) => {
    host.try("ip link add name weave type bridge");
    host.try("ip link set dev weave address de:ad:00:00:00:01");
    host.try("ip link set dev weave mtu 9000");
    host.try("ip addr replace 10.7.0.1/16 dev weave");
    host.try("ip addr replace 10.2.0.77/16 dev weave");
  },
  "a pair of devices of that name": ({ network: { devices } }) => {
    if (!devices.has("weave")) devices.set("weave", device({ kind: "veth" }));
  },
  "a down bridge": ({ network: { devices } }) => Object.assign(devices.get("weave") ?? {}, { up: false }),
  "no VXLAN": ({ host }) => host.try("ip link del dev weave-vx"),
  "another VXLAN": ({ host }) => {
    host.try("ip link add name weave-vx type vxlan id 6783 dstport 4789 local 192.168.50.11");
    host.try("ip link set dev weave-vx mtu 1300");
    host.try("bridge fdb append 00:00:00:00:00:00 dev weave-vx dst 192.168.50.99");
  },
  "a dummy with the VXLAN's name": ({ network: { devices } }) => devices.set("weave-vx", device({})),
  "the router's port": ({ network }) => port(network, "vethwe-bridge", "weave"),
  "a container": ({ network }) => port(network, "veth0a1b2c3", "weave"),
  "a detached container": ({ network }) => {
    port(network, "veth0a1b2c4", null);
    network.dockersBridge = "weave";
  },
  "a virtual machine": ({ network }) => port(network, "tap0", "weave"),
  "the rule": ({ host }) =>
    host.try("iptables -w -I FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT"),
  "no rule": ({ network }) => network.rules.clear(),
  "up in ifupdown": ({ network }) => network.held.add("weave"),
  "not up in ifupdown": ({ network }) => network.held.clear(),
  "a stopped unit": ({ host }) => host.try("systemctl stop weave-bridge.service"),
  "a started unit": ({ host }) => host.try("systemctl start weave-bridge.service"),
  "a failed unit": ({ network }) => Object.assign(network, { ownUnit: "failed" }),
  "an active unit": ({ network }) => Object.assign(network, { ownUnit: "active" }),
  "a unit without Docker": ({ directory }) => directory.remove(LINKS[1] ?? ""),
};

/** What may be in the way, or only seems to be. */
const OBSTACLES: typeof DRIFTS = {
  "a VXLAN with other flags on the port": ({ network: { devices } }) =>
    devices.set("vxlan_sys_4789", device({ kind: "vxlan", vxlan: vxlanDevice({ id: 0, flags: ["external"] }) })),
  "a VXLAN with another identifier on the port": ({ network: { devices } }) =>
    devices.set("other-vx", device({ kind: "vxlan", mac: "0e:00:00:00:00:05", vxlan: vxlanDevice({ id: 8 }) })),
  "a VXLAN with other flags, in the place of ours": ({ network: { devices } }) =>
    devices.set("weave-vx", device({ kind: "vxlan", vxlan: vxlanDevice({ flags: ["gbp"] }) })),
  // The kernel gives a process no port that a VXLAN listens on (udp_lib_get_port, net/ipv4/udp.c).
  "a process on the port": ({ network }) => {
    const listens = [...network.devices.values()].some(({ up, vxlan }) => up && vxlan?.port === 4789);
    if (!listens) network.sockets.add(4789);
  },
  "a process on another port": ({ network }) => network.sockets.add(8472),
  "another name of a device": ({ network }) => network.devices.get("eth0")?.aliases.push("weave"),
  "the MAC on another device": ({ network: { devices } }) => devices.set("eth9", device({ mac: "0e:5f:33:00:00:09" })),
  "the MAC on a VLAN's device": ({ network: { devices } }) =>
    devices.set(
      "tap9",
      device({ kind: "veth", mac: "0e:5f:33:00:00:09", master: devices.has("weave") ? "weave" : null }),
    ),
  "no VXLAN in the kernel": ({ network }) => network.modules.delete("vxlan"),
  "a wider route that leads nowhere": ({ network }) => network.routes.add("unreachable 10.0.0.0/8"),
  "a narrower route that leads nowhere": ({ network }) => network.routes.add("blackhole 10.2.5.0/24"),
  "a rule for a table with a default route": ({ network }) => {
    network.policy.add("100:\tfrom all lookup 7");
    network.routes.add("default via 192.168.50.1 dev eth0 table 7");
  },
  "a rule for marked packets": ({ network }) => {
    network.policy.add("100:\tfrom all fwmark 0x1 lookup 7");
    network.routes.add("default via 192.168.50.1 dev eth0 table 7");
  },
  "a setting that is on": ({ network: { devices, settings } }) =>
    devices.has("weave") && settings.add("weave/promote_secondaries"),
};

function port({ devices }: Network, name: string, bridge: string | null): void {
  const master = devices.get(bridge ?? "")?.kind === "bridge" ? bridge : null;
  devices.set(name, device({ kind: "veth", master }));
}

/** Files of others that take the bridge, or not. */
const OWNERS: Readonly<Record<string, string>> = {
  "/etc/systemd/network/01-all.network": "[Match]\nName=*\n",
  "/etc/systemd/network/99-all.network": "[Match]\nName=*\n",
  "/run/systemd/network/10-netplan-weave.netdev": "[NetDev]\nName=weave\nKind=bridge\n",
  "/etc/network/interfaces.d/bridges": "iface weave inet dhcp\n",
  "/etc/NetworkManager/system-connections/br": "[connection]\ninterface-name=weave\n",
  "/etc/network/interfaces.d/eth1": "iface eth1 inet dhcp\n",
};

/** None of these, or one. */
const seldom = (all: string[]): fc.Arbitrary<string[]> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: fc.subarray(all, { minLength: 1, maxLength: 1 }) },
  );

const states = fc.record({
  interfaces: found(INTERFACES),
  stanza: found(STANZA),
  netdev: found(UNIT),
  network: found(UNIT),
  drop_in: found(UNIT),
  unit: found(OWN_UNIT),
  others: fc.subarray([
    "/etc/network/interfaces.d/setup",
    "/etc/network/interfaces.d/br0.cfg",
    "/etc/systemd/network/10-eth0.network",
    "/etc/systemd/system/docker.service.d/proxy.conf",
  ]),
  programs: fc.subarray(["ifup", "iptables", "ping"], { minLength: 2 }),
  ifupdown: fc.constantFrom(null, null, null, null, null, null, "/usr/share/ifupdown2/ifupdown2"),
  owners: seldom(Object.keys(OWNERS)),
  obstacles: seldom(Object.keys(OBSTACLES)),
  networkd: fc.constantFrom("off", "runs", "manages"),
  networkManager: fc.boolean(),
  before: fc.option(fc.tuple(options, fc.oneof(fc.constant(99), fc.integer({ min: 0, max: 25 }))), { nil: null }),
  drifts: fc.subarray(Object.keys(DRIFTS)),
});

type State = typeof states extends fc.Arbitrary<infer Value> ? Value : never;

async function hostOf(directory: Directory, state: State): Promise<NetworkHost> {
  const network = new Network(directory);
  const host = fakeHostIn(directory, network);
  directory.put("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  const files: Readonly<Record<string, Found | null>> = {
    "/etc/network/interfaces": state.interfaces,
    "/etc/network/interfaces.d/weave.cfg": state.stanza,
    "/etc/systemd/network/05-weave.netdev": state.netdev,
    "/etc/systemd/network/05-weave.network": state.network,
    "/etc/systemd/system/docker.service.d/weave-bridge.conf": state.drop_in,
    "/etc/systemd/system/weave-bridge.service": state.unit,
  };
  for (const [path, file] of Object.entries(files)) putFound(directory, path, file);
  for (const path of state.others) directory.put(path, "# \xff\n");
  for (const path of state.owners) directory.put(path, OWNERS[path] ?? "");
  for (const program of [...state.programs, "systemctl", "networkctl"]) directory.put(`/usr/sbin/${program}`, "");
  if (state.ifupdown !== null && state.programs.includes("ifup")) {
    directory.remove("/usr/sbin/ifup");
    directory.putLink("/usr/sbin/ifup", state.ifupdown);
  }
  if (state.networkd !== "off") network.units.add("systemd-networkd");
  if (state.networkd === "manages") network.networkdOfEth0 = "/etc/systemd/network/10-eth0.network";
  if (state.networkManager) network.units.add("NetworkManager");
  if (state.before !== null) await interrupt(weaveBridge, host, ...state.before);
  for (const drift of state.drifts) DRIFTS[drift]?.({ directory, host, network });
  for (const obstacle of state.obstacles) OBSTACLES[obstacle]?.({ directory, host, network });
  return { directory, host, network };
}

/** The devices that this module did not create, without their masters. */
const foreignDevices = ({ devices }: Network): object[] =>
  [...devices]
    .filter(([name]) => !/^(weave|weave-vx|vethwe-bridge)$/.test(name))
    .map(([name, { master: _, ...rest }]) => ({ name, ...rest }));

let [succeeded, failed, changed] = [0, 0, 0];

test("on any host, a check predicts the run, a second run changes nothing, and what others made stays", async () => {
  await forAllLater(
    [states, options],
    (state, desired) =>
      inMemory(async (directory) => {
        const { host, network } = await hostOf(directory, state);
        const others = JSON.stringify(foreignDevices(network));
        const interfaces = host.readFile("/etc/network/interfaces")?.content ?? "";
        const run = await assertCheckPredictsRun(weaveBridge, host, desired);
        if (run.failed) {
          failed++;
          assert.match(
            String(run.msg),
            /^(bridge weave|force|name|network|peers|provider|underlay|mtu|mac|address|datapath|vxlan_id|vxlan_port): /,
          );
          return;
        }
        succeeded++;
        if (run.changed) changed++;
        const again = await runOn(weaveBridge, host, desired);
        assert.equal([again.msg, again.changes], [undefined, undefined], "a second run has something to do");
        assert.is(JSON.stringify(foreignDevices(network)), others);
        // At most one of our lines is added or removed; another one that doesn't match the file can be another bridge's.
        const own = /^# Added by Ansible's weave_bridge.*\nsource .*(\n|$)/;
        const after = host.readFile("/etc/network/interfaces")?.content ?? "";
        const kept = [interfaces, interfaces.replace(own, "")].includes(after) || after.replace(own, "") === interfaces;
        assert.ok(kept, `/etc/network/interfaces keeps what it had: ${JSON.stringify([interfaces, after])}`);
      }),
    150,
  );
  console.log(`${succeeded} succeeded, ${changed} of them with changes, ${failed} failed`);
  assert.ok(changed > 50 && failed > 10, "the cases cover too little");
});

test.run();
