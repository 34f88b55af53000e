import { test } from "uvu";
import * as assert from "uvu/assert";
import { observe } from "../../../modules/docker_bridge_opts/observe";
import { SAVED_CONFIGURATION_PATH } from "../../../modules/docker_bridge_opts/restart/rollback";
import { CONFIG, UNIT } from "../support/fake_host/docker";
import {
  APOLLO,
  asked,
  type Daemon,
  DEBIAN_UNIT,
  DEFAULT_FILE,
  FRESH,
  hostWith,
  PATH,
  runningWith,
  savedOf,
  usual,
} from "./fixtures";

const SHOW =
  "systemctl show docker.service docker.socket -p Names,LoadState,LoadError,ActiveState,FragmentPath,DropInPaths,NeedDaemonReload,MainPID,ExecStart,Requires,Job,Listen";
const files = (more: Record<string, string> = {}) =>
  new Map(Object.entries({ [UNIT]: DEBIAN_UNIT, [PATH]: DEFAULT_FILE, ...more }));
const DAEMON: Daemon = { words: ["/usr/sbin/dockerd", "-H", "fd://"] };

async function rejected(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "nothing was rejected",
    (error: Error) => error.message,
  );
}

test("a host with Debian's docker.io is observed as it is", async () => {
  const seen = await observe(usual(), hostWith(files(), DAEMON));
  assert.equal(seen, { ...FRESH, version: null, daemon: { ...FRESH.daemon, version: null } });
});

test("a restart in progress is waited for, and the new daemon is observed", async () => {
  const host = hostWith(files(), DAEMON);
  let calls = 0;
  const restarting = host.with({
    run: (argv) => {
      if (argv.join(" ") !== SHOW || ++calls > 1) return undefined;
      const output = host.run(argv);
      return { ...output, stdout: output.stdout.replace(/MainPID=\d+/, "MainPID=0\nJob=7") };
    },
  });
  assert.ok((await observe(usual(), restarting)).daemon);
  assert.is(calls, 2);
});

test("the running daemon's options are those of its process's command line", async () => {
  const words = ["/usr/sbin/dockerd", "-H", "fd://", "--bridge=weave", "--dns", "8.8.8.8", "--label=a b"];
  const { daemon } = await observe(usual(), hostWith(files(), { words }));
  assert.equal(Object.fromEntries(daemon?.flags ?? []), {
    host: ["fd://"],
    bridge: ["weave"],
    dns: ["8.8.8.8"],
    label: ["a b"],
  });
});

test("the program of a daemon that was started by its name is the one that runs, also after an upgrade", async () => {
  const words = ["dockerd", "--debug"];
  const command = async (links: Record<string, string>) =>
    (
      await observe(
        usual(),
        hostWith(files(), { words }, { kernel: { "/proc/812/cmdline": "dockerd\0--debug\0" }, links }),
      )
    ).daemon?.command;
  assert.equal(await command({ "/proc/812/exe": "/usr/bin/dockerd (deleted)" }), ["/usr/bin/dockerd", "--debug"]);
  assert.equal(await command({}), words);
});

test("a daemon that was given another name (ExecStart=@) is found by its program", async () => {
  const kernel = { "/proc/812/cmdline": "engine\0--debug\0" };
  const links = { "/proc/812/exe": "/usr/sbin/dockerd" };
  const { daemon } = await observe(usual(), hostWith(files(), DAEMON, { kernel, links }));
  assert.equal(daemon?.command, ["/usr/sbin/dockerd", "--debug"]);
});

test("its API reports its default network, its containers and whether they keep running through a restart", async () => {
  const network = {
    Id: "1",
    Name: "bridge",
    Driver: "bridge",
    IPAM: { Config: [{ Subnet: "10.2.0.0/16", IPRange: "10.2.1.0/24" }] },
    Options: { "com.docker.network.bridge.name": "weave", "com.docker.network.driver.mtu": "1450" },
  };
  const api = {
    "/networks": [network],
    "/info": { LiveRestoreEnabled: true },
    "/containers/json": [
      { Id: "a", Names: ["/web"] },
      { Id: "b", Names: ["/weave"] },
      { Id: "c", Names: ["/ended"] },
    ],
    "/containers/a/json": { State: { Paused: true }, HostConfig: { AutoRemove: true } },
    "/containers/b/json": { State: {}, HostConfig: null },
  };
  const { daemon, version } = await observe(usual({ dns: "8.8.8.8" }), hostWith(files(), { ...DAEMON, api }));
  assert.equal(
    [...(daemon?.defaultNetwork ?? [])],
    [
      ["bridge", ["weave"]],
      ["fixed-cidr", ["10.2.1.0/24"]],
      ["mtu", ["1450"]],
    ],
  );
  const usually = { paused: false, autoRemove: false };
  const containers = [
    { id: "a", name: "web", belongsToWeave: false, paused: true, autoRemove: true },
    { id: "b", name: "weave", belongsToWeave: true, ...usually },
    { id: "c", name: "ended", belongsToWeave: false, ...usually },
  ];
  assert.equal([daemon?.containers, daemon?.liveRestore, version], [containers, true, "20.10.24"]);
});

test("its containers are listed only where a restart can interrupt them, or has stopped some", async () => {
  const api = { "/networks": [], "/containers/json": [{ Id: "a", Names: ["/web"] }] };
  const line = { words: ["/usr/sbin/dockerd", "--dns=8.8.8.8"] };
  const containers = async (options: Record<string, unknown>) =>
    (await observe(asked(options), hostWith(files(), { ...line, api }))).daemon?.containers;
  const all = [{ id: "a", name: "web", belongsToWeave: false }];
  assert.is(await containers({ dns: "8.8.8.8" }), null);
  assert.equal(await containers({ dns: "1.1.1.1" }), all);
  assert.equal(await containers({ dns: "8.8.8.8", state: "absent" }), all);
  assert.equal(await containers({ state: "restarted" }), all);
  const saved = JSON.stringify(savedOf(runningWith(""), { stopped: all }));
  const host = hostWith(new Map([...files(), [SAVED_CONFIGURATION_PATH, saved]]), { ...line, api });
  assert.equal((await observe(asked({ dns: "8.8.8.8" }), host)).daemon?.containers, all);
});

test("no daemon: stopped, just ended, or its process id belongs to another program; the API is not asked", async () => {
  const asking = {
    request: () => {
      throw new Error("a socket would start Docker");
    },
  };
  for (const kernel of [
    undefined,
    { "/proc/812/cmdline": null, "/proc/812/stat": null },
    { "/proc/812/cmdline": "/bin/sleep\0", "/proc/812/stat": "812 (sleep) S" },
  ]) {
    const host = hostWith(files(), kernel ? DAEMON : null, kernel ? { kernel } : {});
    const seen = await observe(usual(), host.with(asking));
    assert.is(seen.daemon, null);
    assert.is(seen.version, "20.10.24");
  }
});

test("what it read from daemon.json is the file's content, unless that was changed after it started", async () => {
  const all = files({ [CONFIG]: '{"dns": ["8.8.8.8"]}' });
  const seen = async (changed: number, started = 1000) =>
    (await observe(usual(), hostWith(all, DAEMON, { modified: { [CONFIG]: changed, "/var/run/docker.pid": started } })))
      .daemon?.configAtStart;
  assert.equal((await seen(999))?.get("dns"), ["8.8.8.8"]);
  assert.is(await seen(1001), null);
  assert.equal((await seen(Date.now() + 1e6))?.get("dns"), ["8.8.8.8"], "a time in the future says nothing");
});

test("that start is known of a daemon with another pid file, too, and where the usual one is an earlier daemon's", async () => {
  const all = files({ [CONFIG]: '{"dns": ["8.8.8.8"]}' });
  const seen = async (words: readonly string[], modified: Record<string, number>, pid = "812") => {
    const kernel = { "/run/d2.pid": "812", "/var/run/docker.pid": pid, "/proc/stat": "btime 1\n" };
    const daemon = { words: [...DAEMON.words, ...words] };
    return (await observe(usual(), hostWith(all, daemon, { kernel, modified }))).daemon?.configAtStart ?? null;
  };
  const elsewhere = ["--pidfile=/run/d2.pid"];
  assert.is(await seen(elsewhere, { [CONFIG]: 5000, "/run/d2.pid": 4000, "/var/run/docker.pid": 9000 }), null);
  assert.ok(await seen(elsewhere, { [CONFIG]: 3000, "/run/d2.pid": 4000, "/var/run/docker.pid": 1000 }));
  // It started 5 s after the boot at 1 s.
  assert.is(await seen([], { [CONFIG]: 9000, "/var/run/docker.pid": 9500 }, "700"), null);
  assert.ok(await seen([], { [CONFIG]: 7000, "/var/run/docker.pid": 2000 }, "700"));
});

test("what this module has changed since is known from the saved files, as long as the same daemon runs", async () => {
  const previous = (daemon: string, configWasRead: boolean): string => {
    const config = { path: CONFIG, content: '{"dns": ["1.1.1.1"]}', mode: 420 };
    return JSON.stringify({ daemon, command: [], files: [config], configWasRead, stopped: [] });
  };
  const seen = async (daemon: string, configWasRead = true) => {
    const kept = { "/var/lib/apollo-weave/docker-previous.json": previous(daemon, configWasRead) };
    return (await observe(usual(), hostWith(files({ [CONFIG]: '{"dns": []}', ...kept }), DAEMON))).daemon
      ?.configAtStart;
  };
  assert.equal((await seen("boot 812 500"))?.get("dns"), ["1.1.1.1"]);
  assert.equal((await seen("boot 700 400"))?.get("dns"), []);
  assert.is(await seen("boot 812 500", false), null, "something else had changed it before this module did");
});

test("the options file is the unit's environment file that sets DOCKER_OPTS, or its last one in /etc", async () => {
  const unit = `[Service]\nEnvironmentFile=-/etc/sysconfig/docker\nEnvironmentFile=/run/flannel.env\nExecStart=/usr/bin/dockerd $DOCKER_OPTS\n`;
  const path = async (more: Record<string, string>) =>
    (await observe(usual(), hostWith(files({ [UNIT]: unit, ...more })))).service.filePath;
  assert.is(await path({}), "/etc/sysconfig/docker");
  assert.is(await path({ "/etc/sysconfig/docker": "DOCKER_OPTS=\n" }), "/etc/sysconfig/docker");
  assert.is(await path({ "/run/flannel.env": "DOCKER_OPTS=\n" }), PATH, "not one that a boot clears");
});

test("a pattern of EnvironmentFile= whose set is not closed stands for itself", async () => {
  const unit = "[Service]\nEnvironmentFile=-/etc/docker/[er\nExecStart=/usr/bin/dockerd $DOCKER_OPTS\n";
  const service = async (more: Record<string, string>, names: readonly string[]) =>
    (await observe(usual(), hostWith(files({ [UNIT]: unit, ...more }), null, { names: { "/etc/docker": names } })))
      .service;
  assert.is((await service({}, [])).readsFile, false);
  assert.is((await service({ "/etc/docker/[er": "DOCKER_OPTS=-D\n" }, ["[er"])).filePath, "/etc/docker/[er");
});

test("the options file is no link to a shared or temporary file, and no copy next to it", async () => {
  const shared = {
    "/etc/environment": "A=1\n",
    "/run/dopts": "DOCKER_OPTS=-D\n",
    "/srv/docker.env": "",
    "/srv/all.env": "",
  };
  const service = async (target: string, content = "A=1\n") => {
    const host = hostWith(files({ ...shared, [PATH]: content }), null, { links: { [PATH]: target } });
    const { readsFile, sharedTarget, whyNot } = (await observe(usual(), host)).service;
    return [readsFile, sharedTarget, /link/.exec(whyNot)?.[0]];
  };
  assert.equal(await service("../environment"), [false, "/etc/environment", undefined]);
  assert.equal(await service("/run/dopts", "DOCKER_OPTS=-D\n"), [false, "/run/dopts", "link"]);
  assert.equal(await service("/srv/all.env"), [false, "/srv/all.env", undefined]);
  assert.equal(await service("/srv/docker.env"), [true, null, undefined]);
  assert.equal(await service("/srv/not/there"), [true, null, undefined], "nobody has that file");

  const unit = DEBIAN_UNIT.replace(PATH, `${PATH}*`);
  const names = { "/etc/default": ["docker", "docker.bak"] };
  for (const copy of ["DOCKER_OPTS=-D\n", ""]) {
    const host = hostWith(files({ [UNIT]: unit, [`${PATH}.bak`]: copy }), null, { names });
    const { readsFile, filePath } = (await observe(usual(), host)).service;
    assert.equal([readsFile, filePath], [copy === "", PATH]);
  }
});

test("drop-ins count, except this module's own", async () => {
  const directory = "/etc/systemd/system/docker.service.d";
  const seen = await observe(
    usual(),
    hostWith(
      files({
        [`${directory}/a.conf`]: "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --bridge=br0\n",
        [`${directory}/zz-weave.conf`]: "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd\n",
      }),
    ),
  );
  assert.equal(
    seen.service.unit?.files.map(({ path }) => path),
    [UNIT, `${directory}/a.conf`],
  );
  assert.is(seen.service.readsFile, false);
  assert.ok(seen.dropIn);
});

test("the first drop-in of a new directory is read, though systemd must reload to see it; so are those of an alias", async () => {
  const dns = "[Service]\nEnvironment=DOCKER_OPTS=--dns=1.1.1.1\n";
  const directory = "/etc/systemd/system/docker.service.d";
  const observed = async (properties: string) => {
    const all = files({ [`${directory}/dns.conf`]: dns });
    const programs = { [SHOW]: `LoadState=loaded\nMainPID=0\n${properties}` };
    const { service } = await observe(usual(), hostWith(all, null, { programs }));
    return [service.needsReload, service.unit?.files.length];
  };
  assert.equal(await observed(`FragmentPath=${UNIT}\nNeedDaemonReload=no\nDropInPaths=\n`), [true, 2]);
  assert.equal(await observed(`FragmentPath=${UNIT}\nNeedDaemonReload=no\nDropInPaths=${directory}/dns.conf\n`), [
    false,
    2,
  ]);
  const alias = "FragmentPath=/lib/systemd/system/docker-ce.service\nNames=docker.service docker-ce.service\n";
  assert.equal(await observed(`${alias}NeedDaemonReload=yes\nDropInPaths=\n`), [true, 2]);
});

test("a variable whose name only begins with DOCKER_OPTS, or that stays one word, does not count", async () => {
  for (const word of ["$DOCKER_OPTS_EXTRA", `\${DOCKER_OPTS}`]) {
    const unit = DEBIAN_UNIT.replace("$DOCKER_OPTS", word);
    assert.is((await observe(usual(), hostWith(files({ [UNIT]: unit })))).service.readsFile, false);
  }
});

test("without systemd the options file is the one that the script sources, and the daemon that of the pid file", async () => {
  const script = 'DOCKER_OPTS=\n. /etc/default/$UPSTART_JOB\nexec "$DOCKER" -d $DOCKER_OPTS\n';
  const all = new Map(Object.entries({ "/etc/init/docker.conf": script, [PATH]: 'DOCKER_OPTS="$DOCKER_OPTS -D"\n' }));
  const { service, daemon } = await observe(usual(), hostWith(all, DAEMON));
  assert.equal([service.init, service.readsFile, service.filePath], ["script", true, PATH]);
  assert.is(daemon?.id, "boot 812 500");
});

test("the bridge's address is observed where it is not given, for Apollo's opts too", async () => {
  const addresses = async (given: Record<string, unknown>) =>
    (await observe(asked(given), hostWith(files()))).bridgeAddresses;
  assert.equal(await addresses({ bridge: "weave" }), ["10.2.0.1/16"]);
  assert.equal(await addresses({ opts: APOLLO }), ["10.2.0.1/16"]);
  assert.equal(await addresses({ bridge: "other" }), []);
  assert.equal(await addresses({ bridge: "weave", bridge_address: "10.2.0.1/16" }), []);
  assert.equal(await addresses({ mtu: 1450 }), []);
});

test("a masked socket is rejected where the service requires it", async () => {
  const seen = (requires: string) => {
    const service = `LoadState=loaded\nFragmentPath=${UNIT}\nMainPID=0\nRequires=${requires}\n`;
    const programs = { [SHOW]: `${service}\nLoadState=masked\nListen=\n` };
    return observe(usual(), hostWith(files(), null, { programs }));
  };
  assert.is(
    await rejected(seen("docker.socket system.slice")),
    "docker.socket: must not be masked, or systemd does not start docker.service, which requires it (found it masked). Run systemctl unmask docker.socket first.",
  );
  assert.is((await seen("system.slice")).service.lostSocket, null);
});

test("a host without Docker is rejected with what to install", async () => {
  const programs = { [SHOW]: "LoadState=not-found\nMainPID=0\n" };
  assert.match(
    await rejected(observe(usual(), hostWith(files(), null, { programs }))),
    /^docker\.service: must exist \(found none\)\. Install Docker first \(apt install docker\.io\)\. Docker from a snap, and rootless Docker,/,
  );
  assert.match(
    await rejected(observe(usual(), hostWith(new Map()))),
    "Docker: must be installed (found no systemd, and neither /etc/init",
  );
});

test("a daemon.json that dockerd can't read is rejected by its path, without its content", async () => {
  for (const content of ['{"secret": "x', "[]", "null"]) {
    const message = await rejected(observe(usual(), hostWith(files({ [CONFIG]: content }))));
    assert.match(message, /^\/etc\/docker\/daemon\.json: must be one JSON object \(found /);
    assert.not.match(message, "secret");
  }
});

test.run();
