import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { disturbNetworkManager, underNetworkManager, underNothing } from "./network_manager";
import { ansiblePlaybook, changedTasks, complaints, type PlaybookRun } from "./playbook";
import { assertPredicted } from "./prediction";
import { startServices } from "./services";
import { assertAsBefore, statesOf } from "./without_disruption";

/** The role on two hosts that only NetworkManager manages, as on RHEL and Fedora, and on one that nothing manages. */
const test = suite("hosts without ifupdown and systemd-networkd");
let cluster: Cluster;
let managed: Host[];
let before: ReadonlyMap<Host, string>;
let fresh: string[];

const play = async (playbook: string, vars: object = {}, ...args: string[]): Promise<PlaybookRun> => {
  const extra = ["--diff", "--extra-vars", JSON.stringify({ weave_datapath: "vxlan", ...vars })];
  const run = await ansiblePlaybook(cluster.inventory, [playbook, ...extra, ...args]);
  assert.is(run.status, 0, run.output);
  assert.equal(complaints(run), []);
  return run;
};

/** Fails unless every host, and a container on each, reaches every other host and its container. */
const verify = async (vars: object = {}): Promise<void> => {
  const run = await play("playbooks/verify.yml", { weave_verify_report: "", ...vars });
  assert.match(run.output, /All \d+ paths work/);
};

/** The files, directories and firewall rules. The reboot gives devices other numbers, and NetworkManager writes resolv.conf. */
const lasting = async (): Promise<string[]> =>
  (await Promise.all(cluster.hosts.map(fingerprint))).map((all) =>
    all
      .split("\n")
      .filter((line) => /^(\/|[0-9a-f]{64} |-A )/.test(line) && !line.endsWith(" /etc/resolv.conf"))
      .join("\n"),
  );

const CLEAR = ["eth0:connected", "veth:unmanaged", "weave-vx:unmanaged", "weave:unmanaged"];
const ENCRYPTED = [...CLEAR, "weave-wg:unmanaged"].sort();

test.before(async () => {
  cluster = await bootHosts(3);
  managed = [cluster.host("apollo1"), cluster.host("apollo2")];
  await Promise.all([...managed.map(underNetworkManager), underNothing(cluster.host("apollo3"))]);
  [before, fresh] = [await statesOf(cluster.hosts), await lasting()];
});
test.after(() => cluster.down());

test("a check announces what the run makes: systemd creates the bridge, and a second run changes nothing", async () => {
  const check = await play("site.yml", {}, "--check");
  await assertAsBefore(cluster.hosts, before);
  const run = await play("site.yml");
  assertPredicted(check, run);
  const providers = run.results.flatMap(({ result }) => (result["provider"] === undefined ? [] : [result["provider"]]));
  assert.equal(providers, ["systemd", "systemd", "systemd"]);
  assert.equal(changedTasks(await play("site.yml")), []);
  await startServices(cluster, 1);
  await verify();
});

test("NetworkManager does not change the devices and containers' ports when it is restarted, or turned off and on", async () => {
  for (const states of await Promise.all(managed.map(disturbNetworkManager))) assert.equal(states, CLEAR);
  await verify();
});

test("so it does with WireGuard's device; after a reboot of all hosts every path is open, and a run changes nothing", async () => {
  const password = { weave_password: "correct horse battery staple" };
  await play("site.yml", password);
  for (const states of await Promise.all(managed.map(disturbNetworkManager))) assert.equal(states, ENCRYPTED);
  await Promise.all(cluster.hosts.map((host) => host.reboot()));
  await verify(password);
  assert.equal(changedTasks(await play("site.yml", password)), []);
});

test("the teardown leaves nothing, and a reboot brings nothing back", async () => {
  await play("playbooks/teardown.yml");
  await Promise.all(cluster.hosts.map((host) => host.exec(["docker", "rm", "--force", `${host.name}-a`])));
  await Promise.all(cluster.hosts.map((host) => host.reboot()));
  const after = await lasting();
  assert.equal(
    fresh.flatMap((each, index) => differences(each, after[index] ?? "")),
    [],
  );
  for (const host of cluster.hosts) assert.not.match((await host.exec(["ip", "-br", "link"])).stdout, "weave");
});

test.run();
