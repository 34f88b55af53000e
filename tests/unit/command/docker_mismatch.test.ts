import { test } from "uvu";
import * as assert from "uvu/assert";
import { describeDockerMismatch } from "../../../modules/command/docker_mismatch";
import { observe } from "../../../modules/docker_bridge_opts/observe";
import type { ObservedDocker } from "../../../modules/docker_bridge_opts/observed";
import { options } from "../../../modules/docker_bridge_opts/options";
import { DEBIAN_UNIT, hostWith, PATH } from "../docker_bridge_opts/fixtures";
import { UNIT } from "../support/fake_host/docker";
import { optionsOf } from "../support/options";

const RESULT = { changed: true, name: "weave", docker_subnet: "10.2.1.0/24", mtu: 1450 };

function docker(opts: string): Promise<ObservedDocker> {
  const files = new Map([
    [UNIT, DEBIAN_UNIT],
    [PATH, `DOCKER_OPTS="${opts}"\n`],
  ]);
  return observe(optionsOf(options, { state: "restarted" }), hostWith(files));
}

test("Docker's options that no longer fit the bridge are said, with what changes them", async () => {
  const fitting = await docker("--bridge=weave --fixed-cidr=10.2.1.0/24 --mtu=1450");
  assert.equal(describeDockerMismatch(RESULT, false, fitting), []);
  assert.equal(describeDockerMismatch({ ...RESULT, docker_subnet: "10.2.2.0/24" }, false, fitting), [
    "Docker keeps the subnet 10.2.1.0/24, not 10.2.2.0/24; then run: apollo-weave docker-opts --bridge weave --fixed-cidr 10.2.2.0/24 --mtu 1450",
  ]);
  assert.equal(describeDockerMismatch({ ...RESULT, mtu: 1400 }, false, await docker("--bridge=weave")), [
    "Docker keeps the subnet of the whole bridge, not 10.2.1.0/24, and the MTU 1500, not 1400; then run: apollo-weave docker-opts --bridge weave --fixed-cidr 10.2.1.0/24 --mtu 1400",
  ]);
});

test("a Docker that the removed bridge is of, and one that does not use it", async () => {
  assert.equal(describeDockerMismatch(RESULT, true, await docker("--bridge=weave --fixed-cidr=10.2.1.0/24")), [
    "Docker keeps --bridge=weave --fixed-cidr=10.2.1.0/24, and does not start without the bridge; then run: apollo-weave docker-opts --state absent",
  ]);
  for (const opts of ["", "--bridge=br0"]) {
    assert.equal(describeDockerMismatch(RESULT, true, await docker(opts)), []);
    assert.equal(describeDockerMismatch({ ...RESULT, docker_subnet: "10.2.2.0/24" }, false, await docker(opts)), []);
  }
});

test("a separate Docker network on the bridge", async () => {
  const plain = await docker("");
  const network = {
    ...{ id: "1", name: "flat", driver: "bridge", internal: false, members: [] },
    options: { "com.docker.network.bridge.name": "weave", "com.docker.network.driver.mtu": "1450" },
    pools: [{ subnet: "10.2.0.0/16", range: "10.2.1.0/24", gateway: "10.2.0.1" }],
  };
  const daemon = {
    ...{ id: "1", version: null, containers: [], liveRestore: false },
    ...{ flags: new Map(), file: new Map(), defaultNetwork: null, networks: [network] },
  } as unknown as ObservedDocker["daemon"];
  const observed = { ...plain, daemon };
  assert.equal(describeDockerMismatch(RESULT, false, observed), []);
  assert.match(
    describeDockerMismatch({ ...RESULT, docker_subnet: "10.2.2.0/24" }, false, observed)[0] ?? "",
    /^Docker keeps the subnet 10\.2\.1\.0\/24, not 10\.2\.2\.0\/24; then run: apollo-weave docker-opts --network flat --bridge weave /,
  );
  assert.match(
    describeDockerMismatch(RESULT, true, observed)[0] ?? "",
    "run first: apollo-weave docker-opts --network flat --state absent",
  );
});

test.run();
