import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import type { Output } from "../hosts/run";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { installCommand } from "./command";
import { bootHosts } from "./hosts";

/** The command on one host, from a fresh one to one on the network: its output, its exit status, and `status`. */
const test = suite("command");
let cluster: Cluster;
let host: Host;

test.before(async () => {
  cluster = await bootHosts(1);
  host = cluster.host("apollo1");
  await installCommand([host]);
});
test.after(() => cluster.down());

const command = (argv: readonly string[], input = ""): Promise<Output> =>
  host.exec(["apollo-weave", ...argv], { check: false, input, timeoutSeconds: 120 });

/** The lines of `apollo-weave status` by their names; its exit status goes with them. */
async function status(as: readonly string[] = []): Promise<Record<string, string[]>> {
  const { status: code, stdout, stderr } = await host.exec([...as, "apollo-weave", "status"], { check: false });
  assert.is(stderr, "");
  const lines: Record<string, string[]> = {};
  for (const [, name = "", value = ""] of stdout.matchAll(/^(\S+) +(.*)$/gm))
    lines[name] = [...(lines[name] ?? []), value];
  const isWrong = lines["problem"] !== undefined || lines["pending"]?.[0] !== "none";
  assert.is(code, lines["error"] !== undefined ? 1 : isWrong ? 3 : 0);
  const metrics = await host.exec([...as, "apollo-weave", "status", "--format=prometheus"]);
  assert.match(metrics.stdout, `\napollo_weave_errors ${lines["error"]?.length ?? 0}\n`);
  return lines;
}

const BRIDGE = ["bridge", "--host-index=1", "--datapath=vxlan", "--peers=192.168.50.12"];
const DOCKER = ["docker-opts", "--bridge=weave", "--fixed-cidr=10.2.1.0/24", "--mtu=1450"];

test("status of a host where nothing is set up", async () => {
  const { bridge, docker, options, pending, ...others } = await status();
  assert.equal({ bridge, pending }, { bridge: ["none"], pending: ["none"] });
  assert.match(docker?.[0] ?? "", /^running \d+\.\S+, 0 containers, started by systemd$/);
  assert.is.not(options, undefined);
  assert.equal(others, {});
});

test("a check prints the very changes that the run then makes, and its exit status says that something would change", async () => {
  const check = await command([...BRIDGE, "--check", "--diff"]);
  assert.is(check.stderr, "");
  assert.is(check.status, 3);
  assert.match(check.stdout, /^\/etc\/network\/interfaces\.d\/weave\.cfg\n {2}\+ #.*\n {2}\+ auto weave\n/m);
  assert.match(check.stdout, /\nwould change\n$/);
  assert.is((await host.exec(["ip", "link", "show", "weave"], { check: false })).status, 1);

  // The same, with some options from a file and a flag that overrides it.
  const args = JSON.stringify({ host_index: 2, datapath: "vxlan", peers: ["192.168.50.12"] });
  const run = await command(["bridge", "--args", "-", "--host-index=1", "--diff"], args);
  assert.is(run.stderr, "");
  assert.is(run.stdout, check.stdout.replace(/would change\n$/, "changed\n"));
  assert.is(run.status, 0);

  for (const more of [[], ["--check"]]) {
    const again = await command([...BRIDGE, "--diff", ...more]);
    assert.equal([again.stdout, again.stderr, again.status], ["ok: nothing to change\n", "", 0]);
  }
});

test("a pending restart of Docker is reported by the run and by status until it is made", async () => {
  const run = await command(DOCKER);
  assert.match(run.stdout, /^pending: a restart of Docker\nchanged\n$/m);
  const before = await status();
  assert.match(
    before["pending"]?.[0] ?? "",
    "a restart of Docker (apollo-weave docker-opts --state restarted): it runs with --bridge=docker0 no --fixed-cidr",
  );
  const again = await command([...DOCKER, "--check"]);
  assert.match(again.stdout, /would be pending: a restart of Docker\nok: nothing to change except what is pending\n$/);
  assert.is(again.status, 3);

  assert.is((await command(["docker-opts", "--state=restarted"])).status, 0);
  const { bridge, boot, datapath, peers, subnet, options, pending } = await status();
  assert.match(bridge?.[0] ?? "", /^weave up, 10\.2\.0\.1\/16, mtu 1450, [0-9a-f:]{17}, 0 containers$/);
  assert.equal(
    { boot, datapath, peers, subnet, pending },
    {
      boot: ["/etc/network/interfaces.d/weave.cfg"],
      datapath: ["vxlan weave-vx, id 6783, UDP port 4789, from 192.168.50.11, not encrypted"],
      peers: ["192.168.50.12"],
      subnet: ["10.2.1.0/24"],
      pending: ["none"],
    },
  );
  assert.match(options?.[0] ?? "", "--bridge=weave");

  // What is not given stays as it is.
  for (const more of [[], ["--host-index=1"], ["--datapath=vxlan"]]) {
    const bare = await command(["bridge", "--diff", ...more]);
    assert.equal([bare.stdout, bare.stderr, bare.status], ["ok: nothing to change\n", "", 0]);
  }
  await host.exec(["rm", "/etc/network/interfaces.d/weave.cfg"]);
  const withoutFile = await command(["bridge"]);
  assert.equal([withoutFile.stdout, withoutFile.status], ["/etc/network/interfaces.d/weave.cfg\nchanged\n", 0]);
  await host.exec(["ip", "link", "del", "weave-vx"]);
  assert.match((await command(["bridge"])).stdout, /^bridge weave: datapath\n/);
  assert.equal((await command([...BRIDGE, "--diff"])).stdout, "ok: nothing to change\n");
});

test("a user who is not root sees what everybody may read, and what could not be read; a run is rejected", async () => {
  const as = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const { bridge, subnet, pending, error } = await status(as);
  assert.match(bridge?.[0] ?? "", "weave up, 10.2.0.1/16");
  assert.equal([subnet, pending], [["10.2.1.0/24"], ["none found, but see the errors"]]);
  assert.equal(error, [
    "/var/lib/apollo-weave/docker-previous.json: can't be read (found EACCES: permission denied). Run as root.",
    "/var/run/docker.sock: must be open to this user (found EACCES). Run as root.",
  ]);
  const run = await host.exec([...as, "apollo-weave", ...BRIDGE], { check: false });
  assert.equal([run.stdout, run.status], ["", 1]);
  assert.match(run.stderr, "bridge: must run as root to change this host (found user id 65534). Run it with sudo.");
});

test("with Docker stopped, status shows the rest and starts nothing", async () => {
  await host.exec(["systemctl", "stop", "docker.service"]);
  const { docker, options, subnet, pending } = await status();
  assert.match(docker?.[0] ?? "", /^stopped \d+\.\S+, started by systemd$/);
  assert.match(options?.[0] ?? "", "--bridge=weave --fixed-cidr=10.2.1.0/24");
  const start = "a restart of Docker (apollo-weave docker-opts --state restarted): it is stopped";
  assert.equal([subnet, pending], [["10.2.1.0/24"], [start]]);
  const opts = await command([...DOCKER, "--check"]);
  assert.match(opts.stdout, "would be pending: a restart of Docker\n");
  const check = await command([...BRIDGE, "--check", "--diff"]);
  assert.equal([check.stdout, check.status], ["ok: nothing to change\n", 0]);
  // Its socket could start it.
  assert.is((await host.exec(["systemctl", "is-active", "docker.socket"])).stdout, "active\n");
  assert.is((await host.exec(["systemctl", "is-active", "docker.service"], { check: false })).stdout, "inactive\n");
});

test("with the router: its state, and its configured peers when it is stopped; the password comes by standard input", async () => {
  await host.exec(["systemctl", "start", "docker.service"]);
  await installWeaveStandIn(host);
  const toRouter = await command(["bridge", "--datapath=router"]);
  assert.match(toRouter.stdout, /^interrupts traffic between hosts, until the Weave router carries it$/m);
  assert.is(toRouter.status, 0);
  const secret = JSON.stringify({ password: "hunter2", peers: ["192.168.50.12"] });
  const run = await command(["service", "--launch-args=--ipalloc-range=10.2.0.0/16", "--diff", "--args=-"], secret);
  assert.equal([run.stderr, run.status], ["", 0]);
  assert.not.match(run.stdout, "hunter2");
  const environment = await host.read("/etc/weave.env");
  assert.match(environment, 'WEAVE_PASSWORD="hunter2"');
  assert.match(environment, "--ipalloc-range=10.2.0.0/16");

  const bare = await command(["service", "--diff"]);
  assert.equal([bare.stdout, bare.stderr, bare.status], ["ok: nothing to change\n", "", 0]);

  const { datapath, service, router, pending } = await status();
  assert.equal({ datapath, pending }, { datapath: ["router"], pending: ["none"] });
  assert.match(service?.[0] ?? "", /^weave\.service running, starts with Docker, container of \S+:2\.8\.1 running$/);
  assert.match(router?.[0] ?? "", /^2\.8\.1 [0-9a-f:]{17} \(apollo1\), encrypted$/);

  await host.exec(["systemctl", "stop", "weave.service"]);
  const stopped = await status();
  assert.equal([stopped["router"], stopped["peers"]], [["no answer"], ["192.168.50.12 not connected"]]);
  assert.match(stopped["service"]?.[0] ?? "", "weave.service stopped");
});

test.run();
