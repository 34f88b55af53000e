import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { arm64Emulator, onArm64 } from "../built/arm64";
import { nodeOf } from "../built/nodes";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { run } from "../hosts/run";
import { bootHosts } from "./hosts";
import { type ModuleRun, runModule } from "./module";
import { ROOT } from "./playbook";

/** The modules on the Node.js for arm64 that the role would copy to a host, by an emulator of that processor. */
const test = suite("the modules on arm64");
const DIRECTORY = "/opt/arm64";
const RELEASES = (
  parse(readFileSync(join(ROOT, "roles/weave/vars/main.yml"), "utf8")) as {
    __weave_nodejs_releases: { version: string }[];
  }
).__weave_nodejs_releases.map(({ version }) => version);

let cluster: Cluster;
let host: Host;

const nodeAt = (version: string): string => `${DIRECTORY}/node-${version}`;
const onIts = (version: string): readonly string[] => onArm64(DIRECTORY, nodeAt(version));
const BRIDGE = { host_index: 1, datapath: "vxlan", underlay: "eth0", peers: ["192.168.50.12"] };
const DOCKER = { bridge: "weave", fixed_cidr: "10.2.1.0/24", bridge_address: "10.2.0.1/16", mtu: 1450 };
const withoutSeconds = ({ seconds: _, ...result }: ModuleRun): object => result;

test.before(async () => {
  cluster = await bootHosts(1);
  host = cluster.host("apollo1");
  // With links as they are: they lead to their neighbours.
  await run(["cp", "--archive", arm64Emulator(), join(host.root, DIRECTORY)]);
  for (const version of RELEASES) copyFileSync(nodeOf(version, "arm64"), join(host.root, nodeAt(version)));
});
test.after(() => cluster.down());

test("the role has a package for arm64 of each of its releases, and it is arm64's", async () => {
  assert.ok(RELEASES.length > 1);
  for (const version of RELEASES) {
    const { stdout } = await host.exec([...onIts(version), "--print", "[process.arch, process.version].join(' ')"]);
    assert.is(stdout, `arm64 v${version}\n`);
  }
});

for (const version of RELEASES) {
  test(`on ${version} a check, and the rejection of a wrong option, are as on this machine's processor`, async () => {
    for (const options of [BRIDGE, { ...BRIDGE, host_index: 0 }, { ...BRIDGE, state: "absent" }]) {
      const native = await runModule(host, "weave_bridge", options, { check: true });
      const emulated = await runModule(host, "weave_bridge", options, { check: true, node: onIts(version) });
      assert.equal(withoutSeconds(emulated), withoutSeconds(native));
    }
  });
}

test("a run makes what its check announced, and this machine's processor finds nothing left to do", async () => {
  const node = onIts(RELEASES[0] ?? "");
  for (const [name, options] of [
    ["weave_bridge", BRIDGE],
    ["docker_bridge_opts", DOCKER],
    ["docker_bridge_opts", { state: "restarted" }],
  ] as const) {
    const check = await runModule(host, name, options, { check: true, node });
    const made = await runModule(host, name, options, { node });
    assert.is(made.changed, true, made.msg);
    assert.equal(withoutSeconds(check), withoutSeconds(made));
  }
  assert.is((await runModule(host, "weave_bridge", BRIDGE)).changed, false);
  assert.is((await runModule(host, "docker_bridge_opts", DOCKER)).changed, false);
});

test.run();
