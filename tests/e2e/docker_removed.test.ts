import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { installCommand } from "./command";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, changedTasks, failures, type PlaybookRun } from "./playbook";

/** Docker's package is removed from a host of the network, with its files left in place. */
const test = suite("a host whose Docker was removed");
let cluster: Cluster;
let host: Host;
const play = (playbook: string, ...args: string[]): Promise<PlaybookRun> =>
  ansiblePlaybook(cluster.inventory, [playbook, "--extra-vars", "weave_datapath=vxlan", ...args]);

test.before(async () => {
  cluster = await bootHosts(2);
  host = cluster.host("apollo2");
  await installCommand([host]);
  const { status, output } = await play("site.yml");
  assert.is(status, 0, output);
  await host.exec(["apt-get", "remove", "--yes", "docker.io"]);
});
test.after(() => cluster.down());

const UNITS: readonly (readonly [what: string, command: string, found: string])[] = [
  ["without a unit", "true", "no docker.service"],
  // As on releases whose packages leave it executable. systemd 260 and newer make no unit of it.
  [
    "with an init script, of which systemd may make a unit",
    "chmod +x /etc/init.d/docker; systemctl daemon-reload",
    "no dockerd",
  ],
  [
    "with a unit of the administrator's",
    "printf '[Service]\\nExecStart=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS\\n' >/etc/systemd/system/docker.service; systemctl daemon-reload",
    "no /usr/sbin/dockerd, which docker.service starts",
  ],
];

for (const [what, command, found] of UNITS) {
  test(`${what}: the role says so before it changes the host, and so do verify.yml and status`, async () => {
    await host.exec(["sh", "-c", command]);
    const { stdout: loaded } = await host.exec(["systemctl", "show", "--property=LoadState", "docker.service"]);
    const run = await play("site.yml", "--limit", "apollo2");
    assert.is.not(run.status, 0, run.output);
    assert.match(
      failures(run)["apollo2"] ?? "",
      `Docker: must be installed on apollo2 (found ${loaded === "LoadState=loaded\n" ? found : "no docker.service"}). Install it there (apt install docker.io)`,
    );
    assert.equal(changedTasks(run), []);

    const verified = await play("playbooks/verify.yml", "--extra-vars", "weave_verify_report=");
    assert.is.not(verified.status, 0, verified.output);
    assert.match(verified.output, "apollo2: Docker is not installed, so none of its containers is tested.");
    assert.match(
      verified.output,
      "apollo2: Docker must be installed, or its containers can't be tested (found no dockerd)",
    );

    const { status, stdout } = await host.exec(["apollo-weave", "status"], { check: false });
    assert.is(status, 3);
    assert.match(stdout, /^docker {4}not installed\nproblem {3}docker\.service: must /m);
  });
}

test("teardown.yml takes everything down, as it predicts, and a second one changes nothing", async () => {
  const check = await play("playbooks/teardown.yml", "--check");
  assert.is(check.status, 0, check.output);
  const run = await play("playbooks/teardown.yml");
  assert.is(run.status, 0, run.output);
  assert.equal(changedTasks(run).sort(), changedTasks(check).sort());
  const { stdout } = await host.exec([
    "sh",
    "-c",
    "ip -br link | grep weave; grep -l weave /etc/default/docker /etc/network/interfaces.d/*; ls -d /var/lib/apollo-weave; true",
  ]);
  assert.is(stdout, "");
  assert.equal(changedTasks(await play("playbooks/teardown.yml")), []);
});

test.run();
