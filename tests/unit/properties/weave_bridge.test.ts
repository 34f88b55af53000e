import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { weaveBridge } from "../../../modules/weave_bridge/plan";
import { type FakeHost, fakeHostIn } from "../support/fake_host/fake_host";
import type { Folder } from "../support/fake_host/folder";
import { device, Network } from "../support/fake_host/network";
import { forAllLater } from "../support/property";
import { type Found, found, putFound, text } from "./found_files";
import { inMemory, interrupt, keepsItsPromise, type Options, runOn } from "./promise";

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
  provider: fc.constantFrom("auto", "auto", "ifupdown", "networkd"),
  firewall: fc.boolean(),
});

interface NetworkHost {
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
};

function port({ devices }: Network, name: string, bridge: string | null): void {
  const master = devices.get(bridge ?? "")?.kind === "bridge" ? bridge : null;
  devices.set(name, device({ kind: "veth", master }));
}

const states = fc.record({
  interfaces: found(INTERFACES),
  stanza: found(STANZA),
  netdev: found(UNIT),
  network: found(UNIT),
  drop_in: found(UNIT),
  others: fc.subarray([
    "/etc/network/interfaces.d/setup",
    "/etc/network/interfaces.d/br0.cfg",
    "/etc/systemd/network/10-eth0.network",
    "/etc/systemd/system/docker.service.d/proxy.conf",
  ]),
  programs: fc.subarray(["ifup", "iptables", "ping"], { minLength: 2 }),
  networkd: fc.constantFrom("off", "runs", "manages"),
  networkManager: fc.boolean(),
  before: fc.option(fc.tuple(options, fc.oneof(fc.constant(99), fc.integer({ min: 0, max: 25 }))), { nil: null }),
  drifts: fc.subarray(Object.keys(DRIFTS)),
});

type State = typeof states extends fc.Arbitrary<infer Value> ? Value : never;

async function hostOf(folder: Folder, state: State): Promise<NetworkHost> {
  const network = new Network(folder);
  const host = fakeHostIn(folder, network);
  folder.put("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  const files: Readonly<Record<string, Found | null>> = {
    "/etc/network/interfaces": state.interfaces,
    "/etc/network/interfaces.d/weave.cfg": state.stanza,
    "/etc/systemd/network/05-weave.netdev": state.netdev,
    "/etc/systemd/network/05-weave.network": state.network,
    "/etc/systemd/system/docker.service.d/weave-bridge.conf": state.drop_in,
  };
  for (const [path, file] of Object.entries(files)) putFound(folder, path, file);
  for (const path of state.others) folder.put(path, "# \xff\n");
  for (const program of state.programs) folder.put(`/usr/sbin/${program}`, "");
  if (state.networkd !== "off") network.units.add("systemd-networkd");
  if (state.networkd === "manages") network.networkdOfEth0 = "/etc/systemd/network/10-eth0.network";
  if (state.networkManager) network.units.add("NetworkManager");
  if (state.before !== null) await interrupt(weaveBridge, host, ...state.before);
  for (const drift of state.drifts) DRIFTS[drift]?.({ host, network });
  return { host, network };
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
      inMemory(async (folder) => {
        const { host, network } = await hostOf(folder, state);
        const others = JSON.stringify(foreignDevices(network));
        const interfaces = host.readFile("/etc/network/interfaces")?.content ?? "";
        const run = await keepsItsPromise(weaveBridge, host, desired);
        if (run.failed) {
          failed++;
          assert.match(String(run.msg), /^(state|force|name|network|peers|provider|underlay|mtu|address): /);
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
