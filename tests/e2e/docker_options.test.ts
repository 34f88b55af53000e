import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Result } from "../../modules/core/run_module";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { DockerHost } from "./docker_host";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { ansiblePlaybook, changedTasks, ROOT } from "./playbook";
import { ADDRESS } from "./services";

/** Docker's options in every place that dockerd has them in, with restarts that are pending, made and rolled back. */
const test = suite("Docker's options");
let cluster: Cluster;
let host: Host;

const WEAVE = { bridge: "weave", fixed_cidr: "10.2.1.0/24", mtu: 1450, dns: ["172.17.42.1", "8.8.8.8"] };

const docker = (options: object, check = false): Promise<Result> => new DockerHost(host).module(options, check);
const configured = (options: object): Promise<Result> => new DockerHost(host).configured(options);
const network = (): Promise<string> => new DockerHost(host).network();

async function inspect(format: string): Promise<string> {
  return (await host.exec(["docker", "inspect", "--format", format, "service"])).stdout.trim();
}
const address = (): Promise<string> => inspect(ADDRESS);
const daemon = async (): Promise<string> => (await host.exec(["systemctl", "show", "-p", "MainPID", "docker"])).stdout;
const files = async (): Promise<string> => {
  const { stdout } = await host.exec(
    [
      "sh",
      "-c",
      "cd /etc && tail -vn +1 default/docker docker/daemon.json systemd/system/docker.service.d/* 2>&1; ls --ignore='replaced-*' /var/lib/apollo-weave",
    ],
    { check: false },
  );
  return stdout;
};

test.before(async () => {
  cluster = await bootHosts(1);
  host = cluster.host("apollo1");
  await host.write("/usr/local/bin/apollo-weave", readFileSync(join(ROOT, "dist/apollo-weave")), 0o755);
  const image = await busyboxImage(host);
  const bridge = "ip link add weave type bridge && ip addr add 10.2.0.1/16 dev weave && ip link set weave up";
  await host.exec(["sh", "-c", bridge]);
  const service = "docker run --detach --restart=always --stop-timeout=1 --name service $0 sleep 9999";
  await host.exec(["sh", "-c", service, image]);
});
test.after(() => cluster.down());

test("Debian's unit with Apollo's lines: they stay, Docker runs with their options, containers come back in their subnet", async () => {
  await host.exec(["sh", "-c", `echo 'DOCKER_OPTS="$DOCKER_OPTS --log-level=warn"' >> /etc/default/docker`]);
  const before = await fingerprint(host);
  const predicted = await docker(WEAVE, true);
  assert.equal(differences(before, await fingerprint(host)), []);
  assert.equal(predicted["disruptions"], ["Docker: its restart stops 1 running container"]);

  await configured(WEAVE);
  assert.match(
    await files(),
    /^DOCKER_OPTS="\$DOCKER_OPTS --log-level=warn"\nDOCKER_OPTS="\$DOCKER_OPTS --bridge=weave --fixed-cidr=10\.2\.1\.0\/24 .*"$/m,
  );
  assert.ok((await new DockerHost(host).words()).includes("--log-level=warn"));
  assert.is(await network(), "weave 10.2.1.0/24 1450");
  assert.match(await address(), /^10\.2\.1\.\d+$/);
});

test("another spelling of the same options changes nothing and needs no restart", async () => {
  const spelled = "--dns=172.17.42.1  -b weave --fixed-cidr 10.2.1.0/24 --dns 8.8.8.8 --mtu='1450'";
  await host.exec([
    "sh",
    "-c",
    `printf '%s\\n' "DOCKER_OPTS=\\"${spelled}\\"" > /etc/default/docker; rm -r /etc/systemd/system/docker.service.d; systemctl daemon-reload`,
  ]);
  for (const opts of [
    "--bridge weave --mtu=1450 --fixed-cidr=10.2.1.0/24 --dns 172.17.42.1 --dns 8.8.8.8",
    { bridge: "weave", mtu: 1450, dns: WEAVE.dns },
  ]) {
    const { changed, msg } = await docker({ opts });
    assert.is(changed, false, msg);
  }
});

test("an option that Docker does not start with: the old configuration is restored, and the error has Docker's message", async () => {
  const [before, network1] = [await files(), await network()];
  const predicted = await docker({ opts: "--storage-driver=zfs" });
  assert.is(predicted["restart_required"], true, predicted.msg);
  assert.is(
    (await host.exec(["stat", "-c", "%a %U", "/var/lib/apollo-weave/docker-previous.json"])).stdout,
    "600 root\n",
  );
  const restart = await docker({ state: "restarted" });
  assert.match(
    restart.msg ?? "",
    /error initializing graphdriver[\s\S]*previous configuration was restored, and Docker runs/,
  );
  assert.is(await files(), before);
  const path = String(predicted["path"]);
  const kept = `/var/lib/apollo-weave/replaced${path.replaceAll("/", "-")}`;
  assert.match(restart.msg ?? "", `What was in ${path} is kept in ${kept}.`);
  assert.match((await host.exec(["cat", kept])).stdout, /"?storage-driver"?[=:] ?"?zfs/);
  assert.is((await host.exec(["stat", "-c", "%a %U", kept])).stdout, "600 root\n");
  assert.is(await network(), network1);
  assert.is(await inspect("{{.State.Running}}"), "true");
});

test("killed in the middle of that, the next run can still roll back", async () => {
  const before = await files();
  await docker({ opts: "--storage-driver=zfs" });
  const restart = ["apollo-weave", "docker-opts", "--state", "restarted"];
  await host.exec(["timeout", "--signal=KILL", "0.3", ...restart], { check: false });
  await docker({ opts: "--storage-driver=zfs" });
  assert.match(
    (await docker({ state: "restarted" })).msg ?? "",
    "previous configuration was restored, and Docker runs",
  );
  assert.is(await files(), before);
  assert.is(await inspect("{{.State.Running}}"), "true");
});

test("conflicting options are rejected in dockerd's own words before anything is changed", async () => {
  await host.exec(["sh", "-c", `echo '{"hosts": ["tcp://127.0.0.1:1"]}' > /etc/docker/daemon.json`]);
  const before = await fingerprint(host);
  const { msg } = await docker({ ...WEAVE, mtu: 1400 });
  assert.match(
    msg ?? "",
    /must not have options of dockerd's command line, .* \(found hosts: \(from flag: \[fd:\/\/\], from file: \[tcp:/,
  );
  assert.equal(differences(before, await fingerprint(host)), []);
  await host.exec(["rm", "/etc/docker/daemon.json"]);
});

test("an option that this Docker does not have is rejected before anything is changed", async () => {
  const before = await fingerprint(host);
  const { msg } = await docker({ opts: "--brige=weave" });
  // From 23 on dockerd validates its options itself.
  const said =
    (await new DockerHost(host).major()) < 23
      ? /^opts: must have options of dockerd only, or dockerd does not start \(found --brige\)/
      : /unknown flag: --brige/;
  assert.match(msg ?? "", said);
  assert.equal(differences(before, await fingerprint(host)), []);
});

test("state: absent removes what was set, and Docker uses docker0 again", async () => {
  await configured({ ...WEAVE, state: "absent" });
  assert.match(await network(), /^docker0/);
  assert.match(await address(), /^172\.17\./);
  assert.not.match(await files(), "DOCKER_OPTS=");
});

test("a unit that does not read DOCKER_OPTS: daemon.json, whose other keys stay", async () => {
  const unit =
    "sed 's/ [$]DOCKER_OPTS//; /^EnvironmentFile/d' /lib/systemd/system/docker.service > /etc/systemd/system/docker.service";
  await host.exec([
    "sh",
    "-c",
    `${unit}; echo '{\n    "labels": ["a=b"]\n}' > /etc/docker/daemon.json; systemctl daemon-reload`,
  ]);
  await host.exec(["systemctl", "restart", "docker"]);
  const { path } = await configured(WEAVE);
  assert.is(path, "/etc/docker/daemon.json");
  assert.match(await host.read("/etc/docker/daemon.json"), '{\n    "labels": ["a=b"],\n    "bridge": "weave",\n');
  assert.is(await network(), "weave 10.2.1.0/24 1450");
});

test("a restart that an interrupted run left pending is found, also for options that the API does not report", async () => {
  const changed = { ...WEAVE, dns: ["8.8.8.8"] };
  await docker(changed);
  const { changed: pending, restart_required } = await docker(changed);
  assert.equal([pending, restart_required], [true, true]);
  await docker({ state: "restarted" });
  assert.is((await docker(changed)).changed, false);
});

test("live-restore: containers are restarted for another network, and otherwise keep running through a restart", async () => {
  await docker({ opts: { "live-restore": true } });
  await docker({ state: "restarted" });
  const started = await inspect("{{.State.StartedAt}}");
  const label = await configured({ opts: "--label=c=d" });
  assert.match(String(label["disruptions"]), "leaves 1 running container running (live-restore)");
  assert.is(await inspect("{{.State.StartedAt}}"), started);
  const moved = await configured({ ...WEAVE, fixed_cidr: "10.2.7.0/24", dns: null });
  assert.match(String(moved["disruptions"]), "stops 1 running container and starts them again");
  assert.match(await address(), /^10\.2\.7\.\d+$/);
});

test("a unit that sets an option itself: a drop-in, for as long as it is needed", async () => {
  await host.exec([
    "sh",
    "-c",
    "sed -i 's|^ExecStart=.*|& --bridge=none|' /etc/systemd/system/docker.service; echo '{}' > /etc/docker/daemon.json",
  ]);
  await configured(WEAVE);
  assert.is(await network(), "weave 10.2.1.0/24 1450");
  assert.match(await files(), "zz-weave.conf");
  await docker({ state: "absent" });
  assert.not.match(await files(), "zz-weave.conf");
});

test("without systemd: Debian's init script, whose file a shell sources", async () => {
  const chain = 'DOCKER_OPTS="$DOCKER_OPTS --label=zone=a"\nDOCKER_OPTS="$DOCKER_OPTS --bridge=weave"\n';
  await host.write("/etc/default/docker", chain);
  // Test hosts may not raise limits or mount cgroups, as the script does.
  await host.exec([
    "sh",
    "-c",
    "sed -i 's/ulimit .*/:/; s/^\\t*cgroupfs_mount$/:/' /etc/init.d/docker; systemctl stop docker.socket docker",
  ]);
  const opts = "apollo-weave docker-opts --bridge weave --fixed-cidr 10.2.1.0/24";
  const script = `set -e
    mount -t tmpfs none /run/systemd
    service docker start
    ${opts}
    apollo-weave docker-opts --state restarted
    ${opts}
    tr '\\0' ' ' < /proc/$(cat /run/docker.pid)/cmdline
    service docker stop`;
  const { stdout } = await host.exec(["unshare", "--mount", "sh", "-c", script]);
  assert.match(stdout, "ok: nothing to change");
  assert.match(stdout, "--label=zone=a --bridge=weave --fixed-cidr=10.2.1.0/24");
  assert.is(
    await host.read("/etc/default/docker"),
    chain.replace("--bridge=weave", "--bridge=weave --fixed-cidr=10.2.1.0/24"),
  );
});

test("weave_docker_restart: false leaves the restart to the operator, and says so", async () => {
  await host.exec([
    "sh",
    "-c",
    "rm -rf /etc/systemd/system/docker.service /etc/docker/daemon.json /etc/default/docker; ip link del weave; systemctl daemon-reload; systemctl restart docker",
  ]);
  const before = await daemon();
  const run = await ansiblePlaybook(cluster.inventory, [
    "site.yml",
    "--extra-vars",
    "weave_datapath=vxlan weave_docker_restart=false",
  ]);
  assert.is(run.status, 0, run.output);
  assert.not.match(changedTasks(run).join(), "restart docker");
  assert.match(run.output, "weave_docker_restart: Docker must restart before its containers are on the bridge");
  assert.is(await daemon(), before);
  assert.match(await network(), /^docker0/);
});

test.run();
