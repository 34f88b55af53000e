import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { DockerHost } from "./docker_host";
import { bootHosts } from "./hosts";
import { type ModuleRun, runModule } from "./module";
import { ROOT } from "./playbook";
import { ADDRESS } from "./services";
import { sh } from "./shell";

/** Restarts of Docker that fail, or that stop half-way: Docker runs again as it ran, with all of its containers. */
const test = suite("Docker's way back");
let cluster: Cluster;
let host: Host;

const PREVIOUS = "/var/lib/apollo-weave/docker-previous.json";
const DROP_INS = "/etc/systemd/system/docker.service.d";
const DROP_IN = `${DROP_INS}/zz-weave.conf`;

const docker = (options: object, through: readonly string[] = []): Promise<ModuleRun> =>
  runModule(host, "docker_bridge_opts", options, { through });

/** The arguments of the running dockerd. */
const command = (): Promise<string> => sh(host, "tr '\\0' ' ' </proc/$(cat /run/docker.pid)/cmdline");
const running = (): Promise<string> => sh(host, "docker ps --format '{{.Names}}' | sort | tr '\\n' ' '");
const written = (): Promise<string> => sh(host, `ls ${PREVIOUS} ${DROP_IN} 2>/dev/null || true`);
const options = (line: string): Promise<string> => sh(host, `printf '%s\\n' '${line}' >/etc/default/docker`);

test.before(async () => {
  cluster = await bootHosts(1);
  host = cluster.host("apollo1");
  await host.write("/usr/local/bin/apollo-weave", readFileSync(join(ROOT, "dist/apollo-weave")), 0o755);
  await sh(host, "ip link add weave type bridge && ip addr add 10.2.0.1/16 dev weave && ip link set weave up");
  const image = await busyboxImage(host);
  await options('DOCKER_OPTS="--label=ran=so --log-level=warn"');
  await sh(host, "systemctl reset-failed docker; systemctl restart docker");
  await sh(host, `docker run --detach --init --restart=unless-stopped --name quick ${image} sleep 9999`);
});
test.after(async () => {
  // Processes that are frozen can't be killed.
  await sh(host, "docker ps --quiet --filter status=paused | xargs --no-run-if-empty docker unpause");
  await cluster.down();
});

test("only root can read what is saved, whatever the umask; it is not restored if others could have changed it", async () => {
  const umask0 = ["sh", "-c", 'umask 0; exec "$@"', "sh"];
  const before = await sh(host, "cat /etc/default/docker");
  await sh(host, "rm -rf /var/lib/apollo-weave /etc/docker");
  await docker({ opts: "--label=a=b" }, umask0);
  await docker({ opts: "--mtu=1400", location: "daemon_json" }, umask0);
  const modes = await sh(host, `stat -c '%a %U' /var/lib/apollo-weave ${PREVIOUS} /etc/docker /etc/docker/daemon.json`);
  assert.is(modes, "700 root\n600 root\n755 root\n644 root");

  const evil = JSON.stringify({
    daemon: null,
    command: [],
    files: [{ path: "/etc/evil", content: "by nobody", mode: 0o644 }],
    configWasRead: true,
    stopped: [],
  });
  const plant = `cd /var/lib/apollo-weave && mv docker-previous.json away && echo '${evil}' >docker-previous.json`;
  await sh(host, "chmod 777 /var/lib/apollo-weave");
  await host.exec(["setpriv", "--reuid=65534", "--clear-groups", "sh", "-c", plant]);
  const found = await sh(host, "cat /etc/default/docker /etc/docker/daemon.json");
  for (const given of [{ state: "restarted" }, { opts: "--label=c=d" }]) {
    assert.match(
      (await docker(given)).msg ?? "",
      `${PREVIOUS}: must be writable by root only, as its files are restored as root (found that /var/lib/apollo-weave may be written by others (mode 0777)). Remove /var/lib/apollo-weave, `,
    );
  }
  assert.is(await sh(host, "cat /etc/default/docker /etc/docker/daemon.json; ls /etc/evil 2>/dev/null || true"), found);
  await sh(host, `rm -r /var/lib/apollo-weave /etc/docker; printf '%s\\n' '${before}' >/etc/default/docker`);
});

test("SIGTERM while systemd restarts Docker: the result says so, nothing of it still runs, and the next run finishes", async () => {
  const slow = `${DROP_INS}/slow.conf`;
  await sh(host, `mkdir -p ${DROP_INS} && printf '[Service]\\nExecStartPre=/bin/sleep 4\\n' >${slow}`);
  await docker({ opts: "--label=ran=later" });
  const restarts = 'while kill -0 $! && ! pgrep --full "^systemctl restart" >/dev/null; do sleep 0.1; done';
  const interrupted = ["sh", "-c", `exec 3<&0; "$@" <&3 & ${restarts}; kill -TERM $!; wait $!`, "sh"];
  const { msg, changed } = await docker({ opts: "--label=ran=later", state: "restarted" }, interrupted);
  assert.match(
    msg ?? "",
    /^docker_bridge_opts: was interrupted \(found SIGTERM; (changed: .*; )?perhaps changed in part: Docker\)\. Run again/,
  );
  assert.is(changed, true);
  assert.is(await sh(host, "pgrep --full '^systemctl restart' || true"), "");
  await sh(host, `rm ${slow}`);
  assert.is((await docker({ opts: "--label=ran=later", state: "restarted" })).msg, undefined);
  assert.match(await command(), "--label=ran=later");
});

/** An option that dockerd does not start with, which is not found before, and what dockerd says. From 23 on it validates more. */
const unstartable = async (): Promise<[option: string, says: RegExp]> =>
  (await new DockerHost(host).major()) < 23
    ? ["--userns-remap=nosuch", /Error during uid lookup for "nosuch"/]
    : ["--storage-driver=nope", /error initializing graphdriver: driver not supported: nope/];

test("a file that Docker never ran with, as something else had changed it: Docker gets its command line back", async () => {
  const before = await command();
  const [dead, says] = await unstartable();
  await options(`DOCKER_OPTS="--label=ran=so ${dead}"`);
  await docker({ opts: "--label=new=one" });
  const restart = await docker({ state: "restarted" });
  const message = restart.msg ?? "";
  assert.match(message, says);
  assert.match(message, /The rollback failed too: /);
  assert.match(
    message,
    `Docker does not start with its files as they were found, so ${DROP_IN} now gives it the command line that it ran with before, and it runs again. Correct /etc/default/docker and run again.`,
  );
  assert.match(message, "Docker now runs as: /usr/sbin/dockerd -H fd:// ");
  assert.is(await command(), before);
  assert.is(await running(), "quick");
  assert.is(await sh(host, "cat /etc/default/docker"), `DOCKER_OPTS="--label=ran=so ${dead}"`);
  assert.ok(restart.seconds < 60, `${restart.seconds} s`);

  await options('DOCKER_OPTS="--label=ran=so --log-level=warn"');
  const { changes } = await docker({ opts: "--label=new=one" });
  assert.equal(changes, ["/etc/default/docker", DROP_IN, "running dockerd"]);
  assert.is((await docker({ state: "restarted" })).msg, undefined);
  assert.match(await command(), /--log-level=warn --label=new=one$/);
  assert.is(await written(), "");
});

test("the same if something else requested the restart, and only that had changed the file", async () => {
  const before = await command();
  const [dead] = await unstartable();
  await options(`DOCKER_OPTS="--bridge=none --label=x=y ${dead}"`);
  const { msg = "", seconds } = await docker({ state: "restarted" });
  assert.match(msg, "now gives it the command line that it ran with before, and it runs again");
  assert.is(await command(), before);
  assert.is(await running(), "quick");
  assert.ok(seconds < 60, `${seconds} s`);
  await options('DOCKER_OPTS="--label=ran=so --log-level=warn"');
  await docker({ opts: "--label=new=one" });
  await docker({ state: "restarted" });
  assert.is(await written(), "");
});

test("a Docker that has started too often, and one in a loop of restarts, is started all the same", async () => {
  const before = await command();
  await options('DOCKER_OPTS="--storage-driver=nope"');
  await sh(host, "for i in $(seq 8); do systemctl restart docker; done; true");
  await options('DOCKER_OPTS="--log-level=warn --label=new=one"');
  const { msg, seconds } = await docker({ state: "restarted" });
  assert.is(msg, undefined);
  assert.is(await command(), before);
  assert.ok(seconds < 60, `${seconds} s`);
});

test("a file that gives Docker something else than was meant is rejected, and Docker is not restarted", async () => {
  const before = await command();
  for (const [line, says] of [
    [String.raw`DOCKER_OPTS=\"--label=a=b --label=c=d\"`, "the value in line 1 must not begin with an escaped quote"],
    [String.raw`DOCKER_TMPDIR=\"/srv\"`, "the value in line 1 must not begin with an escaped quote"],
    [
      'DOCKER_OPTS="$DOCKER_OPTS --label=a=b"',
      "Docker was not restarted, as it would not start. DOCKER_OPTS, /etc/default/docker, line 1: must not refer to a variable",
    ],
    ['DOCKER_OPTS="--log-level=verbose"', "/etc/default/docker, line 1: --log-level must be "],
    ['DOCKER_OPTS="--label=a=1 --label=a=2"', "label: a must have one value"],
  ] as const) {
    await options(line);
    assert.match((await docker({ state: "restarted" })).msg ?? "", says);
    assert.is(await sh(host, "cat /etc/default/docker"), line);
  }
  await options('DOCKER_OPTS="--log-level=warn --label=new=one"');
  assert.is(await command(), before);
});

test("a daemon.json that Docker does not start with is rejected before a restart, and what the unit lacks too", async () => {
  const before = await command();
  for (const [json, says] of [
    [
      '{"log-level": "verbose"}',
      "must not have options of dockerd's command line, or dockerd does not start (found log-level",
    ],
    [
      '{"hosts": ["unix:///var/run/docker.sock"]}',
      "must not have options of dockerd's command line, or dockerd does not start (found hosts",
    ],
    ['{"features": {"buildkit": "true"}}', '"features" must be an object whose values are true or false'],
    ['{"mtu": 1450.0}', '"mtu" must be written without 1450.0'],
  ] as const) {
    await sh(host, `mkdir -p /etc/docker && echo '${json}' >/etc/docker/daemon.json`);
    assert.match((await docker({ state: "restarted" })).msg ?? "", says);
    assert.is(await command(), before);
  }
  const add = (setting: string): Promise<string> =>
    sh(
      host,
      `mkdir -p ${DROP_INS} && printf '[Service]\\n${setting}\\n' >${DROP_INS}/a.conf && systemctl daemon-reload`,
    );
  await sh(host, "rm /etc/docker/daemon.json");
  await add("EnvironmentFile=/etc/docker/missing.env");
  assert.match((await docker({ state: "restarted" })).msg ?? "", "(found that /etc/docker/missing.env does not exist)");
  assert.is(await command(), before);
  for (const setting of ["ExecStartPre=/bin/false", "User=nosuchuser"]) {
    await add(setting);
    assert.match((await docker({ state: "restarted" })).msg ?? "", "the command line that it ran with before");
    assert.is(await command(), before, setting);
    assert.is(await running(), "quick");
  }
  await sh(host, `rm ${DROP_INS}/a.conf ${DROP_IN}; systemctl daemon-reload`);
  assert.is((await docker({ state: "restarted" })).msg, undefined);
});

test("live-restore: a container that ignores SIGTERM is killed in its time, and all are started again", async () => {
  await docker({ opts: "--live-restore" });
  assert.is((await docker({ state: "restarted" })).msg, undefined);
  const image = await sh(host, "docker inspect --format '{{.Image}}' quick");
  await sh(host, `docker run --detach --stop-timeout=100 --name slow ${image} sleep 9999`);
  await docker({ bridge: "weave", fixed_cidr: "10.2.1.0/24" });
  const { msg, seconds } = await docker({ state: "restarted" });
  assert.is(msg, undefined);
  assert.is(await running(), "quick slow");
  assert.match(await sh(host, `docker inspect --format '${ADDRESS}' slow`), /^10\.2\.1\./);
  assert.ok(seconds > 10 && seconds < 60, `${seconds} s`);
});

test("live-restore: containers that need another one start after it, paused ones are paused again, lost ones are named", async () => {
  const image = await sh(host, "docker inspect --format '{{.Image}}' quick");
  const start = (name: string, more: string): Promise<string> =>
    sh(host, `docker run --detach --init --name ${name} ${more} ${image} sleep 9999`);
  await start("base", "");
  await start("joined", "--network=container:base");
  await start("linked", "--link=base");
  await start("inner", "--pid=container:joined");
  await start("frozen", "--network=container:base");
  await sh(host, "docker pause frozen");
  await start("brief", "--rm");
  await sh(host, "mkdir /srv/mounted");
  await start("mounted", "--mount=type=bind,source=/srv/mounted,target=/srv");
  await sh(host, "rmdir /srv/mounted");
  const all = "base frozen inner joined linked mounted quick slow";

  const { disruptions = [] } = await docker({ bridge: "weave", fixed_cidr: "10.2.4.0/24" });
  assert.match(
    disruptions.join(),
    "Docker removes what docker run --rm started as soon as that stops, so it can't be started again: brief",
  );
  const { msg = "" } = await docker({ state: "restarted" });
  assert.match(
    msg,
    /Docker: must start each stopped container again \(found mounted: the answer 400: .*\/srv\/mounted/,
  );
  assert.not.match(msg, /joined|linked|inner|frozen: /);
  assert.match(msg, "Docker was restarted, and runs with its new options. The next run tries once more");
  assert.is(await running(), all.replace("mounted ", ""));
  assert.is(await sh(host, "docker inspect --format '{{.State.Paused}}' frozen"), "true");

  await sh(host, "mkdir /srv/mounted");
  const next = await docker({ bridge: "weave", fixed_cidr: "10.2.4.0/24" });
  assert.equal(next.changes, ["containers that a restart of Docker stopped"]);
  assert.is(await running(), all);
  assert.is(await written(), "");
  assert.is((await docker({ bridge: "weave", fixed_cidr: "10.2.4.0/24" })).changed, false);
  await sh(host, "docker rm --force base joined linked inner frozen mounted");
});

test("live-restore: where one does not stop, it is named, Docker is not restarted and the others run again", async () => {
  const before = await command();
  // Docker waits for the container's shim, which does not answer.
  const shim = await sh(host, "ps -o ppid= -p $(docker inspect --format '{{.State.Pid}}' slow)");
  await sh(host, `kill -STOP ${shim}`);
  await docker({ bridge: "weave", fixed_cidr: "10.2.2.0/24" });
  const { msg = "", seconds } = await docker({ state: "restarted" });
  const names = await running();
  await sh(host, `kill -CONT ${shim}`);
  assert.match(
    msg,
    /Docker: must stop each container within 60 s \(found slow: no answer within 60 s\)\. See docker ps; Docker may still stop/,
  );
  assert.match(
    msg,
    "Docker was not restarted, as it would keep its present network. The containers that had stopped were started again",
  );
  assert.match(msg, "Docker now runs as: /usr/sbin/dockerd");
  assert.is(await command(), before);
  assert.match(names, /quick/);
  // A minute for the stops, and one for the starts: a container that does not stop can not be started either.
  assert.ok(seconds < 150, `${seconds} s`);

  await sh(host, "sleep 12");
  assert.is(await running(), "quick", "Docker has stopped it since");
  assert.is((await docker({ state: "restarted" })).msg, undefined);
  assert.is(await running(), "quick slow");
  assert.match(await sh(host, `docker inspect --format '${ADDRESS}' slow`), /^10\.2\.2\./);
});

test("live-restore: a run that is killed while containers are stopped: the next run starts them", async () => {
  await docker({ bridge: "weave", fixed_cidr: "10.2.3.0/24" });
  await host.exec(["timeout", "--signal=KILL", "4", "apollo-weave", "docker-opts", "--state", "restarted"], {
    check: false,
  });
  await sh(host, "sleep 12");
  assert.is(await running(), "");
  const { changes, msg } = await docker({ bridge: "weave", fixed_cidr: "10.2.3.0/24" });
  assert.is(msg, undefined);
  assert.equal(changes, ["containers that a restart of Docker stopped", "running dockerd"]);
  assert.is(await running(), "quick slow");
  assert.is((await docker({ state: "restarted" })).msg, undefined);
  assert.is(await running(), "quick slow");
  assert.is(await written(), "");
});

test.run();
