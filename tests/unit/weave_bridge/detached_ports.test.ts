import { test } from "uvu";
import * as assert from "uvu/assert";
import { observeDetachedPorts } from "../../../modules/weave_bridge/observe";
import { fakeHost } from "../support/fake_host/fake_host";

const DEVICES = ["eth0", "veth0a1b2c3", "veth4d5e6f7", "veth12345678", "vethwe-bridge", "weave"];
const attached = { links: { "/sys/class/net/veth4d5e6f7/master": "../weave" } };
const running = (commandLine: string) => ({
  "/var/run/docker.pid": "77",
  "/proc/77/comm": "dockerd",
  "/proc/77/cmdline": commandLine,
});

test("ports named like Docker's that are on no bridge, while Docker uses this one", async () => {
  for (const commandLine of [
    "dockerd\0--bridge=weave\0",
    "dockerd\0--bridge\0weave\0--mtu=1450\0",
    "dockerd\0-b\0weave\0",
  ]) {
    const host = fakeHost({ ...attached, kernel: running(commandLine) });
    assert.equal(await observeDetachedPorts("weave", DEVICES, host), ["veth0a1b2c3"]);
  }
});

test("the same if daemon.json names the bridge", async () => {
  const files = { "/etc/docker/daemon.json": '{ "bridge" : "weave" }' };
  assert.equal(await observeDetachedPorts("weave", DEVICES, fakeHost({ ...attached, files })), ["veth0a1b2c3"]);
});

test("the same if the file that dockerd is given names the bridge, and not the default one", async () => {
  const kernel = running("dockerd\0--config-file=/etc/docker.json\0");
  const naming = (path: string) => fakeHost({ ...attached, kernel, files: { [path]: '{"bridge": "weave"}' } });
  assert.equal(await observeDetachedPorts("weave", DEVICES, naming("/etc/docker.json")), ["veth0a1b2c3"]);
  assert.equal(await observeDetachedPorts("weave", DEVICES, naming("/etc/docker/daemon.json")), []);
});

test("the same if another network of the running Docker is on this bridge; a stopped one is not asked, which would start it", async () => {
  const kernel = { ...running("dockerd\0"), "/proc/77/comm": "dockerd" };
  const answering = (bridge: string) => ({
    request: () => ({
      status: 200,
      body: JSON.stringify([
        { Id: "1", Name: "flat", Driver: "bridge", Options: { "com.docker.network.bridge.name": bridge } },
      ]),
    }),
  });
  const host = fakeHost({ ...attached, kernel });
  assert.equal(await observeDetachedPorts("weave", DEVICES, host.with(answering("weave"))), ["veth0a1b2c3"]);
  assert.equal(await observeDetachedPorts("weave", DEVICES, host.with(answering("br-1"))), []);
  const stopped = fakeHost({ ...attached, kernel: { "/proc/77/cmdline": null } }).with(answering("weave"));
  assert.equal(await observeDetachedPorts("weave", DEVICES, stopped), []);
});

test("none if daemon.json has the bridge's name elsewhere, or is not valid JSON", async () => {
  for (const content of ['{"labels": ["-b", "weave"]}', '{"runtimes": {"bridge": "weave"}}', '{"bridge": "weave"']) {
    const files = { "/etc/docker/daemon.json": content };
    assert.equal(await observeDetachedPorts("weave", DEVICES, fakeHost({ ...attached, files })), []);
  }
});

test("none if Docker uses another bridge or does not run", async () => {
  for (const kernel of [running("dockerd\0--bridge=weave2\0"), running("dockerd\0"), {}]) {
    assert.equal(await observeDetachedPorts("weave", DEVICES, fakeHost({ ...attached, kernel })), []);
  }
});

test.run();
