import { suite } from "uvu";
import * as assert from "uvu/assert";
import { differences, fingerprint } from "../e2e/fingerprint";
import { bootHosts } from "../e2e/hosts";
import { type ModuleName, type ModuleRun, runModule } from "../e2e/module";
import { waitUntil } from "../e2e/shell";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { installWeaveStandIn } from "../stand-ins/weave/install";

/** Hosts on which a module can't do its work: it says what is in the way and what to do, soon, and changes nothing. */
const test = suite("broken hosts");
let cluster: Cluster;
let host: Host;

const OPTIONS: Readonly<Record<ModuleName, object>> = {
  weave_bridge: { host_index: 1 },
  weave_service: { state: "enabled", peers: ["192.168.50.12"] },
  docker_bridge_opts: { opts: "--label=bad=world" },
};
const FILES: Readonly<Record<ModuleName, string>> = {
  weave_bridge: "/etc/network/interfaces.d/weave.cfg",
  weave_service: "/etc/weave.env",
  docker_bridge_opts: "/etc/default/docker",
};
const MODULES = Object.keys(OPTIONS) as ModuleName[];

/** Services of a run have limits of 10 seconds, programs of 30; a run that hangs is meant, not one that takes its time. */
const BOUND = 120;

const sh = async (script: string, on = host): Promise<string> =>
  (await on.exec(["bash", "-c", `set -e; ${script}`])).stdout;

/** The runs under a systemd that hangs, which takes longest: on its own host, from the beginning on. */
let hanging: Promise<ModuleRun[]>;

test.before(async () => {
  cluster = await bootHosts(2);
  await Promise.all(cluster.hosts.map((each) => installWeaveStandIn(each)));
  host = cluster.host("apollo1");
  hanging = withoutSystemd(cluster.host("apollo2"), HANGS);
  hanging.catch(() => {}); // The test that waits for it fails.
});
test.after(() => cluster.down());

/** Breaks the host, runs the module, repairs the host; fails where anything was changed, or the answer took too long. */
async function rejected(module: ModuleName, by: string, undo: string): Promise<ModuleRun> {
  await sh(by);
  try {
    const before = await fingerprint(host);
    const run = await runModule(host, module, OPTIONS[module]);
    assert.equal(differences(before, await fingerprint(host)), []);
    assert.is(run.failed, true, JSON.stringify(run));
    assert.is(run["exception"], undefined, run.msg ?? "");
    assert.ok(run.seconds < BOUND, `${run.seconds} s`);
    return run;
  } finally {
    await sh(undo);
  }
}

interface Breakage {
  readonly by: (path: string) => string;
  readonly undo: (path: string) => string;
  readonly says: (path: string) => RegExp;
}

const quoted = (path: string): string => path.replace(/[.]/g, "\\.");
const KEEP = (path: string): string => `[ ! -e ${path} ] || mv ${path} ${path}.away`;
const BACK = (path: string): string => `rm -rf ${path}; [ ! -e ${path}.away ] || mv ${path}.away ${path}`;

/** What is wrong with the one file that a module is to write. */
const BREAKAGES: Readonly<Record<string, Breakage>> = {
  "a read-only /etc": {
    by: () => "mount --bind /etc /etc && mount -o remount,bind,ro /etc",
    undo: () => "umount /etc",
    says: (path) =>
      new RegExp(
        `^${quoted(path)}: can't be written \\(found EROFS: .*; it is unchanged\\)\\. Its file system is mounted read-only: remount it read-write`,
      ),
  },
  "a full disk": {
    by: (path) =>
      `mkdir -p /mnt/full && mount -t tmpfs -o size=8k tmpfs /mnt/full && ${KEEP(path)}; ln -s /mnt/full/docker ${path}; echo '# there' > /mnt/full/docker; cat /dev/zero > /mnt/full/fill 2>/dev/null || true`,
    undo: (path) => `${BACK(path)}; umount /mnt/full; rmdir /mnt/full`,
    says: (path) =>
      new RegExp(
        `^${quoted(path)}: can't be written \\(found ENOSPC: .*; it is unchanged\\)\\. Free space on its file system`,
      ),
  },
  "an immutable file": {
    by: (path) => `${KEEP(path)}; echo '# there' > ${path}; chattr +i ${path}`,
    undo: (path) => `chattr -i ${path}; ${BACK(path)}`,
    says: (path) =>
      new RegExp(
        `^${quoted(path)}: can't be written \\(found EPERM: .*; it is unchanged\\)\\. It may be immutable \\(lsattr shows an i\\): run chattr -i on it`,
      ),
  },
  "a file that is a mount": {
    by: (path) => `${KEEP(path)}; echo '# there' > ${path}; mount --bind ${path} ${path}`,
    undo: (path) => `umount ${path}; ${BACK(path)}`,
    says: (path) =>
      new RegExp(
        `^${quoted(path)}: can't be written \\(found EBUSY: .*; it is unchanged\\)\\. It is in use, such as by a bind mount over it \\(findmnt shows it\\): unmount it`,
      ),
  },
  "a directory in its place": {
    by: (path) => `${KEEP(path)}; mkdir ${path}`,
    undo: BACK,
    says: (path) => new RegExp(`^${quoted(path)}: must be a regular file \\(found a directory\\)\\. Move it away`),
  },
  "a pipe in its place": {
    by: (path) => `${KEEP(path)}; mkfifo ${path}`,
    undo: BACK,
    says: (path) => new RegExp(`^${quoted(path)}: must be a regular file \\(found a pipe\\)\\. Move it away`),
  },
  "a link to itself": {
    by: (path) => `${KEEP(path)}; ln -s ${path} ${path}`,
    undo: BACK,
    says: (path) =>
      new RegExp(
        `^${quoted(path)}: can't be read \\(found ELOOP: .*\\)\\. Its links form a loop: remove them and run again\\.$`,
      ),
  },
};

for (const [name, { by, undo, says }] of Object.entries(BREAKAGES)) {
  test(`${name}: each module names it and what to do`, async () => {
    for (const module of MODULES) {
      const path = FILES[module];
      const { msg = "" } = await rejected(module, by(path), undo(path));
      assert.match(msg, says(path));
    }
  });
}

test("a link to a file that does not exist: the file is created at its target", async () => {
  const path = FILES.docker_bridge_opts;
  await sh(`mv ${path} ${path}.away; ln -s /srv/not/there ${path}`);
  const run = await runModule(host, "docker_bridge_opts", OPTIONS.docker_bridge_opts);
  assert.not(run.failed, run.msg);
  assert.is(await sh(`readlink ${path}; cat /srv/not/there`), '/srv/not/there\nDOCKER_OPTS="--label=bad=world"\n');
  await sh(`${BACK(path)}; rm -r /srv/not`);
});

/** A service that takes every connection and never says a word. */
const SILENT = (socket: string): string =>
  `systemd-run --quiet --unit=silent /usr/bin/node -e 'require("net").createServer(() => {}).listen("${socket}")'; ${waitUntil(`[ -S ${socket} ]`)}`;

test("a Docker that hangs: weave_service says so; docker_bridge_opts reads what it needs elsewhere", async () => {
  const hang = `mv /run/docker.sock /run/docker.away; ${SILENT("/run/docker.sock")}`;
  const mend = "systemctl stop silent; rm -f /run/docker.sock; mv /run/docker.away /run/docker.sock";
  await sh(hang);
  const [service, options] = await Promise.all([
    runModule(host, "weave_service", OPTIONS.weave_service),
    runModule(host, "docker_bridge_opts", OPTIONS.docker_bridge_opts, { check: true }),
  ]);
  await sh(mend);
  assert.match(
    service.msg ?? "",
    /^GET \/var\/run\/docker\.sock\/containers\/weave\/json: must be answered \(found no answer within 10 s\)\. See why Docker does not answer \(systemctl status docker\), or restart it\.$/,
  );
  assert.is(service.changed, false);
  assert.equal([options.msg, options.changes], [undefined, ["/etc/default/docker", "running dockerd"]]);
  for (const { seconds } of [service, options]) assert.ok(seconds < BOUND, `${seconds} s`);
});

/** A service that says this to every connection, and ends it. */
const SAYING = (text: string, at: string): string => {
  const listen = /^\d+$/.test(at) ? `${at}, "127.0.0.1"` : `"${at}"`;
  const answer = `require("net").createServer(s => { s.on("error", () => {}); s.once("data", () => s.end(Buffer.from("${Buffer.from(text).toString("hex")}", "hex"))); }).listen(${listen})`;
  return `systemd-run --quiet --unit=saying /usr/bin/node -e '${answer}'; sleep 1`;
};

const CUT_OFF = "(found an answer that is cut off";

/** Answers that no service of ours gives, and what is said of them. */
const ANSWERS: readonly (readonly [answer: string, says: string])[] = [
  [
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: tcp\r\n\r\n",
    "(found 101 Switching Protocols instead of a response)",
  ],
  ["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", CUT_OFF],
  ["SSH-2.0-OpenSSH_9.2\r\n", "(found an answer that is not HTTP: "],
  ["", "(found a connection that was closed without an answer)"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull", "as its API does (found 4 characters of another form)"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "as its API does (found 2 characters of another form)"],
  ["HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n\u001b[31mno\u0007\r", "\\x1b[31mno\\x07"],
];

test("whatever answers in Docker's place is named by each module that needs it; no module ends without its result", async () => {
  for (const [answer, says] of ANSWERS) {
    await sh(`mv /run/docker.sock /run/docker.away; ${SAYING(answer, "/run/docker.sock")}`);
    const runs = await Promise.all(MODULES.map((module) => runModule(host, module, OPTIONS[module], { check: true })));
    await sh("systemctl stop saying; rm -f /run/docker.sock; mv /run/docker.away /run/docker.sock");
    const [service] = runs.filter((_, index) => MODULES[index] === "weave_service");
    assert.ok(service?.msg?.includes(says), `${JSON.stringify(answer)}: ${service?.msg}`);
    assert.is(service?.changed, false);
    for (const { seconds } of runs) assert.ok(seconds < BOUND, `${seconds} s`);
  }
});

test("a program on the router's port that is no router is named, with the port", async () => {
  await sh(
    "docker rm -f weave 2>/dev/null; docker run -d --name weave --net=host -v /usr:/usr:ro $(/usr/local/bin/weave setup; docker images -q weaveworks/weave | head -n 1) stand-in-idle || true; sleep 1",
  );
  for (const [answer, says] of ANSWERS.slice(0, 3)) {
    await sh(SAYING(answer, "6784"));
    const { msg, failed } = await runModule(host, "weave_service", { state: "started", timeout: 2 }, { check: true });
    await sh("systemctl stop saying");
    if (says === CUT_OFF) continue;
    assert.is(failed, true);
    assert.match(
      msg ?? "",
      /^GET 127\.0\.0\.1:6784\/report: .* Check which program listens on port 6784 \(ss -ltnp\), and restart the router\.$/,
    );
    assert.ok(msg?.includes(says), msg);
  }
  await sh("docker rm -f weave");
});

const SYSTEMDS = "/run/systemd/private /run/dbus/system_bus_socket";
const UNREACHABLE = [
  `for socket in ${SYSTEMDS}; do mv $socket $socket.away; done`,
  `for socket in ${SYSTEMDS}; do mv $socket.away $socket; done`,
] as const;
const HANGS = [
  `${SILENT("/run/systemd/silent")}; for socket in ${SYSTEMDS}; do mv $socket $socket.away; ln -s /run/systemd/silent $socket; done`,
  `for socket in ${SYSTEMDS}; do rm $socket; mv $socket.away $socket; done; systemctl stop silent; rm -f /run/systemd/silent`,
] as const;

/** Runs the modules, which all ask systemd, where it does not answer. A check does not wait for the lock. */
async function withoutSystemd(on: Host, [by, undo]: readonly [string, string]): Promise<ModuleRun[]> {
  await sh(by, on);
  const runs = await Promise.all(
    MODULES.map((module) => runModule(on, module, OPTIONS[module], { check: module === "weave_bridge" })),
  );
  await sh(undo, on);
  return runs;
}

function assertSystemdNamed(runs: readonly ModuleRun[]): void {
  for (const { msg = "", changed, seconds } of runs) {
    assert.match(
      msg,
      /systemctl show .*Check that systemd answers on this host \(systemctl status\), or restart the host\.$/s,
    );
    assert.is(changed, false);
    assert.ok(seconds < BOUND, `${seconds} s`);
  }
}

test("a systemd that nobody reaches: each module says so", async () => {
  assertSystemdNamed(await withoutSystemd(host, UNREACHABLE));
});

test("an ifupdown hook that leaves a child process behind does not delay the run, and the child is not ended", async () => {
  const hook = "/etc/network/if-up.d/leaves-a-child";
  await host.write(hook, "#!/bin/sh\nsleep 600 &\n", 0o755);
  const run = await runModule(host, "weave_bridge", OPTIONS.weave_bridge);
  const left = await sh("pgrep -fc '^sleep 600' || true");
  await sh(`rm ${hook}; pkill -f '^sleep 600' || true`);
  const removed = await runModule(host, "weave_bridge", { ...OPTIONS.weave_bridge, state: "absent" });
  assert.not(run.failed, run.msg);
  assert.ok(run.seconds < 25, `${run.seconds} s`);
  assert.ok(Number(left) > 0, left);
  assert.not(removed.failed, removed.msg);
});

test("files with a modification time in the future cause no pending restart", async () => {
  await sh(`mkdir -p /etc/docker; echo '{}' > /etc/docker/daemon.json; touch -d '+1 year' /etc/docker/daemon.json`);
  const { msg, changed } = await runModule(host, "docker_bridge_opts", { opts: "--debug=false" }, { check: true });
  await sh("rm /etc/docker/daemon.json");
  assert.equal([msg, changed], [undefined, false]);
});

test("files of a hundred thousand lines are read and kept", async () => {
  const many = (path: string, last: string): string =>
    `cp -a ${path} ${path}.away 2>/dev/null || true; { seq -f '# line %.0f' 100000; echo '${last}'; } > ${path}`;
  await sh(
    `${many("/etc/default/docker", 'DOCKER_OPTS="$DOCKER_OPTS --debug"')}; ${many("/etc/network/interfaces", "source /etc/network/interfaces.d/*")}; ${many("/etc/weave.env", "WEAVE_DEBUG=1")}`,
  );
  const runs = await Promise.all(MODULES.map((module) => runModule(host, module, OPTIONS[module], { check: true })));
  await sh(
    "mv /etc/default/docker.away /etc/default/docker; mv /etc/network/interfaces.away /etc/network/interfaces; rm /etc/weave.env",
  );
  for (const { msg, changed, seconds } of runs) {
    assert.equal([msg, changed], [undefined, true]);
    assert.ok(seconds < BOUND, `${seconds} s`);
  }
});

test("a systemd that hangs: each module says so", async () => {
  assertSystemdNamed(await hanging);
});

test.run();
