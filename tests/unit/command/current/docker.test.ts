import { test } from "uvu";
import * as assert from "uvu/assert";
import { currentDocker } from "../../../../modules/command/current/docker";
import { options } from "../../../../modules/docker_bridge_opts/options";
import { fakeHost } from "../../support/fake_host/fake_host";
import { optionsOf } from "../../support/options";

const NETWORKS = [
  { Id: "1", Name: "bridge", Driver: "bridge", Options: { "com.docker.network.bridge.name": "docker0" } },
  {
    ...{ Id: "2", Name: "containers", Driver: "bridge" },
    IPAM: { Config: [{ Subnet: "10.2.0.0/16", IPRange: "10.2.1.0/24", Gateway: "10.2.0.1" }] },
    Options: { "com.docker.network.bridge.name": "weave", "com.docker.network.driver.mtu": "1450" },
  },
];

function current(given: Record<string, unknown>, comm = "dockerd") {
  const host = fakeHost({
    kernel: { "/var/run/docker.pid": "812", "/proc/812/comm": comm },
    services: { "GET /var/run/docker.sock/networks": { status: 200, body: JSON.stringify(NETWORKS) } },
  });
  return currentDocker(optionsOf(options, given), new Set(Object.keys(given)), host);
}

test("the network on the bridge stays, with its range and MTU", async () => {
  assert.equal(await current({ bridge: "weave" }), { network: "containers", fixed_cidr: "10.2.1.0/24", mtu: 1450 });
});

test("nothing is known of another bridge, without a bridge, and for a removal", async () => {
  for (const given of [{ bridge: "docker0" }, { bridge: "other" }, {}, { bridge: "weave", state: "absent" }]) {
    assert.equal(await current(given), {});
  }
});

test.run();
