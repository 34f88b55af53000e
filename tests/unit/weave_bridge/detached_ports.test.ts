import { test } from "uvu";
import * as assert from "uvu/assert";
import { observeDetachedPorts, parsePeerIndexes } from "../../../modules/weave_bridge/detached_ports";
import { fakeHost } from "../support/fake_host/fake_host";

const DEVICES = ["eth0", "veth0a1b2c3", "veth4d5e6f7", "veth89abcde", "veth12345678", "vethwe-bridge", "weave"];
const attached = { links: { "/sys/class/net/veth4d5e6f7/master": "../weave" } };
const running = {
  "/var/run/docker.pid": "77",
  "/proc/77/comm": "dockerd",
  "/sys/class/net/veth0a1b2c3/ifindex": "13",
  "/sys/class/net/veth4d5e6f7/ifindex": "15",
  "/sys/class/net/veth89abcde/ifindex": "17",
};

/** As `ip -o link show` of iproute2 6.1 prints a container's devices, of which eth1 belongs to a network without a bridge. */
const DEVICES_INSIDE = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\\    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
12: eth0@if13: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UP mode DEFAULT group default \\    link/ether 02:42:0a:02:01:01 brd ff:ff:ff:ff:ff:ff link-netnsid 0
16: eth1@if17: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default \\    link/ether 02:42:ac:12:00:02 brd ff:ff:ff:ff:ff:ff link-netnsid 0
`;

const network = (Id: string, Name: string, bridge: string): object => ({
  Id,
  Name,
  Driver: "bridge",
  Options: { "com.docker.network.bridge.name": bridge },
});
const NETWORKS = [network("n1", "bridge", "weave"), network("n2", "private", "br-private")];
const WEB = {
  State: { Pid: 99 },
  NetworkSettings: {
    Networks: {
      bridge: { NetworkID: "n1", MacAddress: "02:42:0a:02:01:01" },
      private: { NetworkID: "n2", MacAddress: "02:42:ac:12:00:02" },
    },
  },
};

/** A host whose Docker has these networks and one container. */
function dockerHost(networks: readonly object[], container: object, kernel: Record<string, string | null> = {}) {
  const answers: Record<string, unknown> = {
    "/networks": networks,
    "/containers/json": [{ Id: "c1" }],
    "/containers/c1/json": container,
  };
  const programs = { "nsenter --net=/proc/99/ns/net ip -o link show": DEVICES_INSIDE };
  const host = fakeHost({ ...attached, kernel: { ...running, ...kernel }, programs });
  return host.with({ request: ({ path }) => ({ status: 200, body: JSON.stringify(answers[path]) }) });
}

test("of the ports that are on no bridge, those whose container's network is on this one", async () => {
  assert.equal(await observeDetachedPorts("weave", DEVICES, dockerHost(NETWORKS, WEB)), ["veth0a1b2c3"]);
});

test("not those of another network that has lost its bridge", async () => {
  assert.equal(await observeDetachedPorts("br-private", DEVICES, dockerHost(NETWORKS, WEB)), ["veth89abcde"]);
  const isolated = { ...WEB, NetworkSettings: { Networks: { private: WEB.NetworkSettings.Networks.private } } };
  assert.equal(await observeDetachedPorts("weave", DEVICES, dockerHost(NETWORKS, isolated)), []);
  assert.equal(await observeDetachedPorts("weave", DEVICES, dockerHost(NETWORKS.slice(1), WEB)), []);
});

test("none of a Docker that does not run, which a request would start, or of a container that has ended", async () => {
  const stopped = dockerHost(NETWORKS, WEB, { "/var/run/docker.pid": null });
  assert.equal(await observeDetachedPorts("weave", DEVICES, stopped), []);
  const ended = { ...WEB, State: { Pid: 0 } };
  assert.equal(await observeDetachedPorts("weave", DEVICES, dockerHost(NETWORKS, ended)), []);
});

test("the other ends of a container's devices, by MAC address", () => {
  assert.equal(parsePeerIndexes(DEVICES_INSIDE, ["02:42:ac:12:00:02"]), ["17"]);
  assert.equal(parsePeerIndexes(DEVICES_INSIDE, ["00:00:00:00:00:00", ""]), []);
  assert.equal(parsePeerIndexes("", [""]), []);
});

test.run();
