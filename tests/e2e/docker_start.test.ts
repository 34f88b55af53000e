import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import { DockerHost } from "./docker_host";
import { differences, fingerprint } from "./fingerprint";
import { bootHosts } from "./hosts";
import { ROOT } from "./playbook";

/** The ways in which a unit starts dockerd, with a real one: no option is lost or doubled, no file of others is written. */
const test = suite("how dockerd is started");
let cluster: Cluster;
let docker: DockerHost;

const UNIT = "/lib/systemd/system/docker.service";
const SCRIPT = "/etc/init.d/docker";
const DROP_INS = "/etc/systemd/system/docker.service.d";
const WEAVE = { bridge: "weave", fixed_cidr: "10.2.1.0/24", mtu: 1450 };

/** Debian's unit with this command line and this drop-in, running. */
async function started(command: string, dropIn = ""): Promise<void> {
  await docker.sh(
    `rm -rf ${DROP_INS} /etc/systemd/system/docker.service /etc/docker/daemon.json /etc/default/docker; mkdir -p ${DROP_INS} /etc/docker`,
  );
  const unit = await docker.host.read(UNIT);
  await docker.host.write(
    "/etc/systemd/system/docker.service",
    unit.replace(/^ExecStart=.*/m, () => `ExecStart=${command}`),
  );
  if (dropIn !== "") await docker.host.write(`${DROP_INS}/their.conf`, `[Service]\n${dropIn}\n`);
  await docker.sh("systemctl daemon-reload; systemctl reset-failed 'docker.s*'; systemctl restart docker");
}

const DEBIAN = "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS";

/** Where a second dockerd does not meet the first. */
const ELSEWHERE = [
  "--host=unix:///tmp/other.sock",
  "--containerd=/run/containerd/containerd.sock",
  "--data-root=/tmp/other",
  "--exec-root=/tmp/other-run",
];

/** Nothing is changed, in a check neither, and the message says where to look. */
async function rejected(options: object, ...parts: string[]): Promise<void> {
  const before = await fingerprint(docker.host);
  const predicted = await docker.module(options, true);
  const { failed, msg = "" } = await docker.module(options);
  assert.is(failed, true, JSON.stringify(options));
  assert.is(predicted.msg, msg);
  for (const part of parts) assert.match(msg, part);
  assert.equal(differences(before, await fingerprint(docker.host)), []);
}

async function runsWith(...words: string[]): Promise<void> {
  const all = await docker.words();
  for (const word of words) assert.is(all.filter((each) => each === word).length, 1, `${word} in ${all.join(" ")}`);
}

test.before(async () => {
  cluster = await bootHosts(1);
  docker = new DockerHost(cluster.host("apollo1"));
  await docker.sh("ip link add weave type bridge && ip addr add 10.2.0.1/16 dev weave && ip link set weave up");
});
test.after(() => cluster.down());

test("DOCKER_OPTS by Environment=: its options stay, and new ones go into daemon.json", async () => {
  await started(DEBIAN, 'Environment="DOCKER_OPTS=--insecure-registry=registry:5000 --log-level=warn"');
  const { path } = await docker.configured(WEAVE);
  assert.is(path, "/etc/docker/daemon.json");
  await runsWith("--insecure-registry=registry:5000", "--log-level=warn");
  assert.is(await docker.network(), "weave 10.2.1.0/24 1450");
  await rejected({ ...WEAVE, location: "docker_opts" }, `DOCKER_OPTS, ${DROP_INS}/their.conf, line 2 sets it`);
  await rejected(
    { opts: "--log-level=info" },
    `--log-level: must not be set by Docker's unit to another value (found warn in DOCKER_OPTS, ${DROP_INS}/`,
  );
});

test("a second variable: an option in it is not given again, and another value is rejected, in either place", async () => {
  await started(`${DEBIAN} $DOCKER_DNS_OPTIONS`, "Environment=DOCKER_DNS_OPTIONS=--dns=8.8.8.8");
  await docker.configured({ ...WEAVE, dns: ["8.8.8.8"] });
  await runsWith("--dns=8.8.8.8", "--bridge=weave");
  for (const location of ["auto", "daemon_json", "docker_opts"]) {
    await rejected({ ...WEAVE, dns: ["1.1.1.1"], location }, `DOCKER_DNS_OPTIONS, ${DROP_INS}/their.conf, line 2`);
  }
});

test("a shell that starts dockerd: its own options and DOCKER_OPTS", async () => {
  await started('/bin/sh -c "exec /usr/sbin/dockerd -H fd:// --dns 8.8.8.8 $DOCKER_OPTS"');
  const { path } = await docker.configured({ ...WEAVE, dns: ["8.8.8.8"] });
  assert.is(path, "/etc/default/docker");
  await runsWith("8.8.8.8", "--bridge=weave", "--mtu=1450");
  await rejected(
    { dns: ["1.1.1.1"] },
    "--dns: must not be set by Docker's unit to another value (found 8.8.8.8 in /etc/systemd/system/docker.service, line",
  );
});

test("a script, and a shell's command that is not simple, are rejected by name", async () => {
  await docker.host.write(
    "/usr/local/bin/dockerd-start",
    '#!/bin/sh\nexec /usr/sbin/dockerd "$@" $DOCKER_OPTS\n',
    0o755,
  );
  await started("/usr/local/bin/dockerd-start -H fd://");
  await rejected(WEAVE, "(found that it starts the script /usr/local/bin/dockerd-start)");
  assert.is((await docker.module({ state: "restarted" })).changed, true, "a restart needs no arguments");
  await started('/bin/sh -c "mkdir -p /srv; exec /usr/sbin/dockerd -H fd://"');
  await rejected(WEAVE, "a command of a shell that is not simple");
});

test("only a file for Docker alone is written: no shared one, and none with a specifier in its name", async () => {
  await started(DEBIAN, "EnvironmentFile=/etc/environment");
  await docker.sh("echo LANG=C.UTF-8 >/etc/environment");
  await docker.configured(WEAVE);
  assert.is(await docker.sh("cat /etc/environment"), "LANG=C.UTF-8");
  assert.match(await docker.host.read("/etc/default/docker"), "--bridge=weave");

  await started(DEBIAN, "EnvironmentFile=\nEnvironmentFile=-/etc/default/%p");
  await docker.configured(WEAVE);
  assert.is(await docker.sh("ls /etc/default | grep -c %; cat /etc/default/docker | grep -c bridge=weave"), "0\n1");
});

test("a drop-in that comes later: rejected where ours would not count", async () => {
  await started(`${DEBIAN} --bridge=none`);
  await docker.host.write(`${DROP_INS}/zzz.conf`, `[Service]\nExecStart=\nExecStart=${DEBIAN} --bridge=none\n`);
  await docker.sh("systemctl daemon-reload");
  await rejected(WEAVE, `${DROP_INS}/zzz.conf, line 3: must not set ExecStart= after`);
});

test("lines of two owners: both roles ten times in turn, no change and no restart after the first", async () => {
  await started(DEBIAN);
  // As Apollo's docker role owns its line of the file, by a pattern.
  const line = 'DOCKER_OPTS="$DOCKER_OPTS --data-root=/var/lib/docker"';
  const owner = `grep -q '^DOCKER_OPTS=.*--data-root' /etc/default/docker || echo '${line}' >>/etc/default/docker
    sed -i 's|^DOCKER_OPTS=.*--data-root.*|${line}|' /etc/default/docker; sha256sum </etc/default/docker`;
  await docker.sh(`touch /etc/default/docker; ${owner}`);
  await docker.configured(WEAVE);
  await runsWith("--data-root=/var/lib/docker", "--bridge=weave", "--fixed-cidr=10.2.1.0/24");
  const state = async (): Promise<string> =>
    docker.sh(`sha256sum /etc/default/docker ${DROP_INS}/*; systemctl show -p MainPID,NRestarts docker`);
  const before = await state();
  for (let round = 0; round < 10; round++) {
    await docker.sh(owner);
    const { changed, msg } = await docker.module(WEAVE);
    assert.is(changed, false, msg);
  }
  assert.is(await state(), before);
  // Without this module's options the other owner's line still works.
  await docker.configured({ ...WEAVE, state: "absent" });
  await runsWith("--data-root=/var/lib/docker");
  assert.is(await docker.host.read("/etc/default/docker"), `${line}\n`);
});

test("somebody else's single line, kept by either pattern, stays, and nothing restarts after the first time", async () => {
  for (const pattern of ["^DOCKER_OPTS=.*--insecure", "^DOCKER_OPTS="]) {
    await started(DEBIAN);
    const line = 'DOCKER_OPTS="--insecure-registry=r:5000"';
    const owner = `touch /etc/default/docker; grep -q '${pattern}' /etc/default/docker || echo '${line}' >>/etc/default/docker
      sed -i 's|${pattern}.*|${line}|' /etc/default/docker`;
    await docker.sh(owner);
    await docker.configured({ opts: "--dns=1.1.1.1" });
    await runsWith("--insecure-registry=r:5000");
    assert.is(await docker.host.read("/etc/default/docker"), `${line}\n`);
    for (let round = 0; round < 3; round++) {
      await docker.sh(owner);
      const { changed, msg } = await docker.module({ opts: "--dns=1.1.1.1" });
      assert.is(changed, false, msg);
    }
  }
});

test("a link to a file that others use, or that does not last, is not written; new options go into daemon.json", async () => {
  await started(DEBIAN);
  for (const target of ["/etc/environment", "/run/dopts"]) {
    await docker.sh(`rm -f /etc/default/docker; touch ${target}; ln -s ${target} /etc/default/docker`);
    const before = await docker.host.read(target);
    await rejected({ opts: "--dns=1.1.1.1", location: "docker_opts" }, `(found a link to ${target})`);
    const { path, failed, msg } = await docker.module({ opts: "--dns=1.1.1.1" });
    assert.equal([path, failed], ["/etc/docker/daemon.json", undefined], msg);
    assert.is(await docker.host.read(target), before);
    await docker.sh("rm -f /etc/docker/daemon.json /run/dopts");
  }
});

test("what systemd does not notice by itself: a drop-in in a new directory, and one with an old time of modification", async () => {
  await started(DEBIAN);
  const drop = (level: string): Promise<string> =>
    docker.sh(`mkdir -p ${DROP_INS}; cd ${DROP_INS}; f=/root/their.conf
      printf '[Service]\\nExecStart=\\nExecStart=${DEBIAN} --log-level=${level}\\n' >$f; touch -d 2001-01-01 $f; cp -p $f their.conf`);
  await docker.sh(`rmdir ${DROP_INS}; systemctl daemon-reload`);
  for (const level of ["warn", "error"]) {
    await drop(level);
    await docker.module({ opts: `--log-level=${level}` });
    const restarted = await docker.module({ state: "restarted" });
    assert.is(restarted.changed, true, restarted.msg);
    await runsWith(`--log-level=${level}`);
    assert.is((await docker.module({ opts: `--log-level=${level}` })).changed, false);
  }
});

test("values that keep this dockerd from starting are rejected before", async () => {
  await started(DEBIAN);
  const major = await docker.major();
  for (const opts of [
    "--mtu=70000",
    "--log-level=loud",
    "--version",
    "--help",
    "-v",
    "--dns=nobody",
    "--label=x",
    "-H nowhere",
  ]) {
    await rejected({ opts }, opts.startsWith("-v") ? "--version" : opts.replace(/[= ].*/, "").replace(/^-H/, "--host"));
  }
  if (major < 23) await rejected({ opts: "--storage-driver=nope" }, "--storage-driver");
  for (const [content, part] of [
    ['{"max-concurrent-downloads": "3"}', '"max-concurrent-downloads" must be a number'],
    ['{"debug": 1}', '"debug" must be true or false'],
    ['{"labels": "a=b"}', '"labels" must be a list'],
    ...(major < 23 ? [['\ufeff{"debug": true}', "byte order mark"]] : []),
  ] as [string, string][]) {
    await docker.host.write("/etc/docker/daemon.json", content);
    await rejected(WEAVE, part);
    const own = await docker.host.exec(
      ["timeout", "20", "dockerd", "--containerd=/nowhere", "--pidfile=/tmp/other.pid"],
      {
        check: false,
      },
    );
    assert.is.not(own.status, 124, "dockerd itself does not start with it");
    assert.match(own.stderr, "unable to configure the Docker daemon");
  }
});

test("a cgroup-parent that is no slice is rejected before where cgroups are systemd's, as with cgroups of version 2", async () => {
  await started(DEBIAN);
  const isUnified = (await docker.sh("ls /sys/fs/cgroup")).includes("cgroup.controllers");
  const options = ["--cgroup-parent=/docker", ...(isUnified ? [] : ["--exec-opt=native.cgroupdriver=systemd"])];
  await rejected({ opts: options.join(" ") }, "cgroup-parent: must be a slice of systemd's");
  const own = await docker.host.exec(
    ["timeout", "20", "dockerd", "--pidfile=/tmp/other.pid", ...ELSEWHERE, ...options],
    {
      check: false,
    },
  );
  assert.is.not(own.status, 124, "dockerd itself does not start with it");
  assert.match(own.stderr, "cgroup-parent for systemd cgroup should be a valid slice");
  await docker.configured({ opts: "--cgroup-parent=/docker --exec-opt=native.cgroupdriver=cgroupfs" });
});

test("the role's probe sees Docker's bridge as dockerd does, running or stopped", async () => {
  const probe = readFileSync(join(ROOT, "roles/weave/files/probe.sh"));
  await docker.host.write("/tmp/probe.sh", probe);
  const docker_uses_bridge = async (): Promise<boolean> =>
    JSON.parse(await docker.sh("sh /tmp/probe.sh network=10.2.0.0/16 prefix=24")).docker_uses_bridge;
  const given = async (line: string, json: string): Promise<void> => {
    await docker.host.write("/etc/default/docker", `${line}\n`);
    await docker.host.write("/etc/docker/daemon.json", json);
  };
  const CASES: readonly [is: boolean, line: string, json: string][] = [
    [true, 'DOCKER_OPTS="-b weave"', "{}"],
    [true, 'DOCKER_OPTS="-b=weave -D"', "{}"],
    [true, "DOCKER_OPTS='-Db weave'", "{}"],
    [true, 'DOCKER_OPTS="-D \\\n --bridge weave"', "{}"],
    [true, "", '{"debug": true,\n "bridge" :\n  "weave"}'],
    [false, 'DOCKER_OPTS="--bridge=weavebr"', "{}"],
    [false, '#DOCKER_OPTS="--bridge=weave"\nDOCKER_OPTS="--label=bridge=weave"', '{"mtu": 1400}'],
    [false, "", '{"bridge": "weavebr", "labels": ["a=weave"]}'],
    [false, 'DOCKER_OPTS="--bridge=weave --bridge=none"', "{}"],
  ];
  await started(DEBIAN);
  await docker.sh("ip link add weavebr type bridge && ip addr add 10.77.0.1/24 dev weavebr && ip link set weavebr up");
  for (const [is, line, json] of CASES) {
    await given(line, json);
    await docker.sh("systemctl stop docker.socket docker");
    assert.is(await docker_uses_bridge(), is, `stopped: ${line} ${json}`);
    await docker.sh("systemctl reset-failed docker.service docker.socket || true; systemctl start docker");
    await given("", "{}");
    await docker.host.write("/etc/docker/daemon.json", json);
    assert.is(await docker_uses_bridge(), is, `running: ${line} ${json}`);
  }
});

test("a unit that is missing, masked, failed or stopped, and a socket that is gone, are distinguished", async () => {
  await started(DEBIAN);
  await docker.sh("rm -f /run/docker.sock");
  const { warnings } = await docker.module(WEAVE, true);
  assert.match(
    String(warnings),
    "docker.socket: /run/docker.sock must exist while the unit is active (found that it is gone",
  );
  await rejected({ state: "restarted" }, "Run systemctl restart docker.socket");
  await docker.sh("systemctl restart docker.socket; docker version");

  await docker.sh("systemctl stop docker.socket docker");
  const before = async (): Promise<string> => JSON.stringify((await docker.module(WEAVE, true)).diff);
  assert.match(await before(), '"before":"stopped\\n"');
  await docker.host.write("/etc/docker/daemon.json", '{"nonsense": true}');
  await docker.host.exec(["systemctl", "start", "docker"], { check: false });
  // systemd starts it three times before it gives up.
  await docker.sh("for i in $(seq 60); do systemctl is-failed --quiet docker && break; sleep 0.5; done");
  await docker.sh("rm /etc/docker/daemon.json");
  assert.match(await before(), '"before":"failed\\n"');

  await docker.sh("rm /etc/systemd/system/docker.service; systemctl mask docker.service");
  await rejected(
    WEAVE,
    "docker.service: must not be masked, or systemd does not start it (found it masked). Run systemctl unmask docker.service",
  );
  await docker.sh("systemctl unmask docker.service");
  await docker.sh("systemctl mask docker.socket");
  await rejected(
    WEAVE,
    "docker.socket: must not be masked, or systemd does not start docker.service, which requires it (found it masked). Run systemctl",
  );
  await docker.sh("systemctl unmask docker.socket");
  // Of the init script systemd would make a unit.
  await docker.sh(`mv ${UNIT} /root/; [ ! -e ${SCRIPT} ] || mv ${SCRIPT} /root/docker-script; systemctl daemon-reload`);
  await rejected(WEAVE, "docker.service: must exist (found none). Install Docker first");
  await docker.sh(
    `mv /root/docker.service ${UNIT}; [ ! -e /root/docker-script ] || mv /root/docker-script ${SCRIPT}; systemctl daemon-reload; systemctl reset-failed 'docker.s*'`,
  );
  await docker.sh("systemctl start docker");
});

test.run();
