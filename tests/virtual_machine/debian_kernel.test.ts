import { suite } from "uvu";
import * as assert from "uvu/assert";
import { differences, fingerprint, lasting } from "../e2e/fingerprint";
import { bootHosts } from "../e2e/hosts";
import { exceedLimits, LIMITS, limitsOf } from "../e2e/limits";
import { intoContainer } from "../e2e/pings";
import { ansiblePlaybook, changedTasks, complaints, type PlaybookRun } from "../e2e/playbook";
import { assertPredicted } from "../e2e/prediction";
import { findServices, reachAll, type Service, startServices } from "../e2e/services";
import { sh } from "../e2e/shell";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import type { Machine } from "../hosts/machine";
import type { VirtualMachine } from "../hosts/virtual_machine";
import { waitFor } from "../hosts/wait";

/**
 * What other test hosts lack, as they have the machine's own kernel: WireGuard of the kernel, and limits under cgroup v2. A virtual machine
 * with Debian's kernel, beside a host with wireguard-go.
 */
const test = suite("a virtual machine with Debian's kernel");
const PASSWORD = "correct horse battery staple";
const FULL_SIZE = 1370 - 28; // an echo request's own bytes in a packet of the bridge's MTU

let cluster: Cluster;
let host: Host;
let machine: VirtualMachine;
let all: { readonly hosts: readonly Machine[] };
let fresh: readonly string[];

const fingerprints = (): Promise<string[]> => Promise.all(all.hosts.map(fingerprint));
const services = (): Promise<Service[]> => findServices(all, 1);

/** The role's playbooks on both, encrypted. An emulated processor takes long for SSH's keys. */
async function play(...args: string[]): Promise<PlaybookRun> {
  const variables = ["--extra-vars", JSON.stringify({ weave_datapath: "vxlan", weave_password: PASSWORD })];
  const env = { ANSIBLE_TIMEOUT: "60" };
  const run = await ansiblePlaybook(cluster.inventory, [...args, "--diff", ...variables], { env });
  assert.is(run.status, 0, run.output);
  assert.equal(complaints(run), []);
  return run;
}

/** Fails unless both hosts and both containers reach both containers, soon. */
async function assertReached(): Promise<void> {
  let blocked: string[] = [];
  await waitFor({
    what: "every path to be open",
    seconds: 60,
    probe: async () => {
      const reached = await reachAll(all, await services());
      assert.is(reached.length, 8);
      blocked = reached.filter(({ ok }) => !ok).map(({ from, to }) => `${from} → ${to.name}`);
      return blocked.length === 0;
    },
    diagnose: () => blocked.join("\n"),
  });
}

/** Fails unless it is the kernel's device that has spoken with the other host's wireguard-go. */
async function assertKernelsDevice(): Promise<void> {
  assert.match(await sh(machine, "ip -d link show weave-wg", false), /\n +wireguard /);
  assert.is(await sh(machine, "pgrep -c wireguard-go; systemctl is-active weave-wg-go", false), "0\ninactive");
  assert.is(await sh(host, "pgrep -c wireguard-go", false), "1");
  for (const each of all.hosts) {
    const [, handshake = "0"] = (await sh(each, "wg show weave-wg latest-handshakes", false)).split(/\s+/);
    assert.ok(Number(handshake) > 0, `${each.name} has had no handshake`);
  }
}

test.before(async () => {
  cluster = await bootHosts(1, "bookworm", 1);
  [host, machine] = [cluster.host("apollo1"), ...cluster.virtualMachines] as [Host, VirtualMachine];
  all = { hosts: [host, machine] };
  fresh = await fingerprints();
});
test.after(() => cluster.down());

test("a check on fresh hosts changes nothing, and the run makes what it announced", async () => {
  console.log(`the kernel is ${await sh(machine, "uname -rv", false)}`);
  const check = await play("site.yml", "--check");
  assert.equal(await fingerprints(), fresh);
  assertPredicted(check, await play("site.yml"));
});

test("the kernel encrypts, and its peer's wireguard-go understands it: containers reach each other", async () => {
  await startServices(all, 1);
  await assertReached();
  await assertKernelsDevice();
});

test("full-size packets pass between containers, both ways, and greater ones do not", async () => {
  const [one, two] = (await services()) as [Service, Service];
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const) {
    const enter = await intoContainer(from.host, from.name);
    for (const [size, status] of [
      [FULL_SIZE, 0],
      [FULL_SIZE + 1, 1],
    ] as const) {
      const ping = ["ping", "-n", "-c", "2", "-W", "3", "-M", "do", "-s", String(size), to.address];
      assert.is((await from.host.exec([...enter, ...ping], { check: false })).status, status, `${from.name}, ${size}`);
    }
  }
});

test("limits of a container's memory and processor time are in force where there is only cgroup v2", async () => {
  assert.is(await sh(machine, "stat --file-system --format %T /sys/fs/cgroup", false), "cgroup2fs");
  assert.equal(await limitsOf(machine), LIMITS);
  assert.equal(await exceedLimits(machine), { memory: "ended", processor: "held back" });
});

test("after a reboot it comes back by itself, the bridge before Docker, and a second run changes nothing", async () => {
  await machine.reboot();
  const started = "systemctl show --value --property";
  const [bridge, docker] = (
    await sh(
      machine,
      `${started} ActiveEnterTimestampMonotonic networking; ${started} ExecMainStartTimestampMonotonic docker`,
    )
  ).split("\n");
  assert.ok(0 < Number(bridge) && Number(bridge) < Number(docker), `networking at ${bridge}, Docker at ${docker}`);
  await assertReached();
  await assertKernelsDevice();
  assert.equal(await machine.failedUnits(), []);
  const before = await fingerprints();
  assert.equal(changedTasks(await play("site.yml")), []);
  assert.equal(await fingerprints(), before);
});

test("a teardown leaves nothing", async () => {
  await Promise.all((await services()).map(({ host: on, name }) => on.exec(["docker", "rm", "--force", name])));
  await play("playbooks/teardown.yml");
  const now = await fingerprints();
  for (const [index, each] of all.hosts.entries()) {
    assert.equal(differences(lasting(fresh[index] ?? ""), lasting(now[index] ?? "")), [], each.name);
    assert.is(await sh(each, "ls /sys/class/net | grep weave; pgrep -c wireguard-go", false), "0", each.name);
  }
});

test.run();
