import { test } from "uvu";
import * as assert from "uvu/assert";
import { InTransition } from "../../../modules/core/module";
import { hideRememberedSecrets } from "../../../modules/core/secrets";
import { observe } from "../../../modules/weave_service/observe";
import { plan } from "../../../modules/weave_service/plan";
import type { Contents } from "../support/fake_host/contents";
import { fakeHost } from "../support/fake_host/fake_host";
import { done, processStat } from "../support/fake_host/part";
import { userErrorLater } from "../support/user_error";
import { CONTAINER, FRESH, ROUTER, SCRIPT, serviceOptions, steady } from "./fixtures";

const SHOW =
  "systemctl show weave.service docker.service -p ActiveState,SubState,Job,NeedDaemonReload,MainPID,WantedBy,RequiredBy";
/** Of Docker, which Debian's package enables. */
const OF_DOCKER = "\nWantedBy=multi-user.target\nRequiredBy=weave.service\n";
const SHOW_BOTH = SHOW.replace("weave.service", "weave.service weave-expose.service");
const script = { "/usr/local/bin/weave": { content: SCRIPT, mode: 0o755 } };

const DOCKER_RUNS = { "/var/run/docker.pid": "77", "/proc/77/comm": "dockerd" };

const REPORT = {
  Version: ROUTER.version,
  Router: {
    Name: ROUTER.name,
    NickName: ROUTER.nickname,
    Encryption: false,
    Interface: "vethwe-pcap (via pcap)",
    Targets: ROUTER.targets,
    Peers: ROUTER.peers.map((Name) => ({ Name })),
    Connections: [
      {
        Address: "192.168.50.12:6783",
        State: "established",
        Info: "sleeve 0e:5f:33:00:00:02(host2)",
        Attrs: { name: "sleeve" },
      },
    ],
  },
};
const INSPECTED = {
  State: { Running: true },
  Config: { Image: CONTAINER.image, Env: [] },
  HostConfig: { RestartPolicy: { Name: "" } },
  Args: CONTAINER.args,
};

const fresh: Contents = {
  files: script,
  kernel: {
    "/proc/1/comm": "systemd",
    "/etc/machine-id": FRESH.machineId,
    "/proc/sys/kernel/hostname": FRESH.ownHost.hostName,
    ...DOCKER_RUNS,
  },
  names: { "/usr/sbin": ["ethtool"], "/usr/bin": ["docker"] },
  addresses: FRESH.ownHost.addresses,
  services: {
    "GET /var/run/docker.sock/version": { status: 200, body: '{"MinAPIVersion":"1.12"}' },
    "GET /var/run/docker.sock/containers/weave/json": { status: 404, body: '{"message":"No such container: weave"}' },
  },
  programs: { [SHOW]: `MainPID=0\nActiveState=inactive\nNeedDaemonReload=no\n${OF_DOCKER}` },
};

function running(): Contents {
  const { unit, environment, startedWith } = steady();
  if (unit.file === null || environment === null) throw new Error("the steady host has both files");
  return {
    ...fresh,
    files: { ...script, "/etc/systemd/system/weave.service": unit.file, "/etc/weave.env": environment },
    links: { "/etc/systemd/system/docker.service.wants/weave.service": "/etc/systemd/system/weave.service" },
    kernel: {
      ...fresh.kernel,
      "/proc/912/environ": `${[...startedWith].map(([name, value]) => `${name}=${value}`).join("\0")}\0`,
      "/proc/912/stat": processStat(100),
      "/proc/self/stat": processStat(200),
    },
    names: { ...fresh.names, "/sys/class/net/weave/brif": ["veth1234567", "vethwe-bridge"] },
    programs: {
      [SHOW]: `MainPID=912\nActiveState=active\nNeedDaemonReload=no\n${OF_DOCKER}`,
      "ethtool -k vethwe-bridge": "Features for vethwe-bridge:\ntx-checksumming: off\n",
    },
    services: {
      ...fresh.services,
      "GET 127.0.0.1:6784/report": { status: 200, body: JSON.stringify(REPORT) },
      "GET /var/run/docker.sock/containers/weave/json": { status: 200, body: JSON.stringify(INSPECTED) },
    },
  };
}

test("a host with only the script is observed", async () => {
  assert.equal(await observe(serviceOptions(), fakeHost(fresh)), FRESH);
});

test("a host with a running router is observed", async () => {
  const observed = await observe(serviceOptions(), fakeHost(running()));
  const { startedWith, ...rest } = observed;
  const { startedWith: desired, ...others } = steady();
  assert.equal(rest, others);
  for (const [name, value] of desired) assert.is(startedWith?.get(name), value, name);
});

test("a value of the running router's environment may have = and newlines in it", async () => {
  const kernel = { ...running().kernel, "/proc/912/environ": "WEAVE_ARGS=--name=a\0OTHER=x\ny\0" };
  const { startedWith } = await observe(serviceOptions(), fakeHost({ ...running(), kernel }));
  assert.is(startedWith?.get("WEAVE_ARGS"), "--name=a");
  assert.is(startedWith?.get("OTHER"), "x\ny");
});

test("a router that does not answer is null, and without Docker nothing is asked", async () => {
  const silent = Object.entries(running().services ?? {}).filter(([request]) => !request.includes("/report"));
  const soon = serviceOptions({ state: "stopped" });
  assert.is((await observe(soon, fakeHost({ ...running(), services: Object.fromEntries(silent) }))).router, null);
  const kernel = { "/proc/1/comm": "systemd", "/var/run/docker.pid": "77", "/proc/77/comm": "node" };
  const { container, router, oldestDockerApi } = await observe(
    serviceOptions({ state: "stopped" }),
    fakeHost({ ...running(), kernel, names: {} }),
  );
  assert.equal([container, router, oldestDockerApi], [null, null, null]);
});

test("a port with TX checksum offload on is found, and a host without ethtool", async () => {
  const programs = { ...running().programs, "ethtool -k vethwe-bridge": "tx-checksumming: on\n" };
  assert.equal((await observe(serviceOptions(), fakeHost({ ...running(), programs }))).offloadingPorts, [
    "vethwe-bridge",
  ]);
  assert.is(
    (await observe(serviceOptions(), fakeHost({ ...fresh, names: { "/usr/bin": ["docker"] } }))).offloadingPorts,
    null,
  );
});

test("a start in progress is waited for, also one that waits for Docker's; one that has failed and is retried is not", async () => {
  for (const [active, sub] of [
    ["activating", "start-pre"],
    ["inactive", "dead\nJob=41"],
  ]) {
    let times = 0;
    const stdout = `ActiveState=${active}\nSubState=${sub}\nNeedDaemonReload=no\nMainPID=0\n`;
    const host = fakeHost(running()).with({
      run: ([program]) => (program === "systemctl" && ++times < 3 ? done(stdout) : undefined),
    });
    assert.equal([(await observe(serviceOptions(), host)).unit.state, times], ["running", 3]);
  }
  const programs = {
    ...running().programs,
    [SHOW]: "ActiveState=activating\nSubState=auto-restart\nNeedDaemonReload=no\nMainPID=0\n",
  };
  assert.is((await observe(serviceOptions(), fakeHost({ ...running(), programs }))).unit.state, "retrying");
});

test("each systemd state has one of ours", async () => {
  for (const [properties, state] of [
    ["ActiveState=activating\nSubState=auto-restart", "retrying"],
    ["ActiveState=activating\nSubState=auto-restart-queued", "retrying"],
    ["ActiveState=activating\nSubState=auto-restart\nJob=12", "retrying"],
    ["ActiveState=activating\nSubState=start-pre", "starting"],
    ["ActiveState=failed\nSubState=failed", "failed"],
    ["ActiveState=failed\nSubState=failed\nJob=12", "starting"],
    ["ActiveState=inactive\nSubState=dead\nJob=12", "starting"],
    ["ActiveState=reloading\nSubState=reload", "running"],
    ["ActiveState=refreshing\nSubState=refresh", "running"],
  ] as const) {
    const host = fakeHost({ ...fresh, programs: { [SHOW]: `${properties}\nNeedDaemonReload=no\nMainPID=0\n` } });
    assert.is((await observe(serviceOptions({ state: "stopped" }), host)).unit.state, state, properties);
  }
});

test("a state that systemd does not report, or that is not known, is an error and not a stop", async () => {
  for (const properties of ["", "ActiveState=", "ActiveState=levitating"]) {
    const host = fakeHost({ ...fresh, programs: { [SHOW]: `${properties}\nMainPID=0\n` } });
    assert.match(
      await userErrorLater(() => observe(serviceOptions({ state: "stopped" }), host)),
      /^systemd: must report the state of weave\.service \(found "(levitating)?"\)\. /,
    );
  }
});

test("a stop in progress is waited for, whatever is desired; before the lock it is an error instead, as a start is", async () => {
  for (const state of ["started", "stopped", "absent"]) {
    let times = 0;
    const host = fakeHost(fresh).with({
      run: ([program]) =>
        program === "systemctl" && ++times < 3
          ? done("ActiveState=deactivating\nSubState=stop-sigterm\nNeedDaemonReload=no\nMainPID=0\n")
          : undefined,
    });
    assert.equal([(await observe(serviceOptions({ state }), host)).unit.state, times], ["stopped", 3]);
  }
  for (const active of ["deactivating", "activating"]) {
    let times = 0;
    const answer = done(`ActiveState=${active}\nNeedDaemonReload=no\nMainPID=0\n`);
    const host = fakeHost(fresh).with({
      run: ([program]) => {
        if (program !== "systemctl") return undefined;
        times++;
        return answer;
      },
    });
    const failure = await observe(serviceOptions(), host, "fail").catch((error) => error);
    assert.instance(failure, InTransition, active);
    assert.is(times, 1, "it is not asked again");
  }
});

test("a stopped Docker is distinguished from none, and its API's version comes from its program", async () => {
  const { "/proc/77/comm": _, ...kernel } = fresh.kernel ?? {};
  const programs = { ...fresh.programs, "dockerd --version": "Docker version 29.1.3, build f52814d\n" };
  const names = { ...fresh.names, "/usr/bin": ["docker", "dockerd"] };
  const stopped = await observe(serviceOptions(), fakeHost({ ...fresh, kernel, programs, names, services: {} }));
  assert.equal([stopped.docker, stopped.oldestDockerApi, stopped.container], ["stopped", "1.44", null]);
  const none = await observe(serviceOptions(), fakeHost({ ...fresh, kernel, names: {}, services: {} }));
  assert.equal([none.docker, none.oldestDockerApi], ["not installed", null]);
  // Of Debian 13 and newer, where the daemon's package was removed.
  const client = { "docker --version": "Docker version 26.1.5+dfsg1, build a72d7cd\n" };
  const left = await observe(
    serviceOptions({ state: "absent" }),
    fakeHost({
      ...fresh,
      kernel,
      programs: { ...fresh.programs, ...client },
      names: { "/usr/bin": ["docker"] },
      services: {},
    }),
  );
  assert.is(left.docker, "not installed");
});

test("a Docker without its client is rejected, unless nothing is to run or to be removed", async () => {
  const names = { "/usr/sbin": ["dockerd"] };
  const rejection = await userErrorLater(async () => observe(serviceOptions(), fakeHost({ ...fresh, names })));
  assert.is(
    rejection,
    "component: the router needs Docker's client, which its script and its unit run (found no program docker). Install it (apt install docker-cli).",
  );
  const absent = serviceOptions({ state: "absent" });
  assert.is((await observe(absent, fakeHost({ ...fresh, names }))).container, null);
});

test("Docker's client is found wherever this host has it; in /usr/bin, if there are two", async () => {
  const clientIn = async (...directories: string[]) => {
    const names = {
      ...fresh.names,
      "/usr/bin": [],
      ...Object.fromEntries(directories.map((each) => [each, ["docker"]])),
    };
    return (await observe(serviceOptions(), fakeHost({ ...fresh, names }))).dockerClient;
  };
  assert.is(await clientIn("/usr/local/bin"), "/usr/local/bin/docker");
  assert.is(await clientIn("/usr/local/bin", "/usr/bin"), "/usr/bin/docker");
});

test("a router of 1.4.6 in bridge mode is asked at its container's own address", async () => {
  const old = SCRIPT.replace("2.8.1", "1.4.6").replace(/--no-restart/g, "");
  const inspected = {
    ...INSPECTED,
    Args: ["--iface", "ethwe", "--no-dns", "--http-addr", ":6784"],
    NetworkSettings: { IPAddress: "10.2.1.3" },
  };
  const services = {
    ...running().services,
    "GET 127.0.0.1:6784/report": { status: 404, body: "another program's" },
    "GET 10.2.1.3:6784/report": { status: 200, body: JSON.stringify(REPORT) },
    "GET /var/run/docker.sock/containers/weave/json": { status: 200, body: JSON.stringify(inspected) },
  };
  const files = { ...running().files, "/usr/local/bin/weave": { content: old, mode: 0o755 } };
  const { router, control } = await observe(serviceOptions(), fakeHost({ ...running(), files, services }));
  assert.equal(control, { address: "10.2.1.3", port: 6784 });
  assert.equal(router?.targets, ROUTER.targets);
});

test("the host is exposed by the address that the router gave it, not by any that is on its bridge", async () => {
  const ask = "GET 127.0.0.1:6784/ip/weave:expose";
  const exposed = async (addresses: string, answer: { status: number; body: string } | null): Promise<boolean> => {
    const units =
      "MainPID=912\nActiveState=active\nNeedDaemonReload=no\n\nMainPID=0\nActiveState=inactive\nNeedDaemonReload=no\n";
    const programs = { ...running().programs, "ip -o -4 addr show": addresses, [SHOW_BOTH]: units };
    const services = { ...running().services, ...(answer && { [ask]: answer }) };
    const options = serviceOptions({ mode: "proxy", expose: true });
    return (await observe(options, fakeHost({ ...running(), programs, services }), "fail")).exposed;
  };
  const own = "5: weave    inet 10.32.0.1/12 scope global weave\n";
  const dockers = "5: weave    inet 10.2.0.1/16 scope global weave\n";
  const given = { status: 200, body: "10.32.0.1/12" };
  assert.is(await exposed(own, given), true);
  assert.is(await exposed(dockers + own, { status: 200, body: "10.33.0.1/12 10.32.0.1/12" }), true);
  assert.is(await exposed(dockers, given), false, "Docker gave it that address");
  assert.is(await exposed(dockers, { status: 200, body: "" }), false, "from 1.5 on, none");
  assert.is(await exposed(dockers, { status: 404, body: "404 page not found\n" }), false, "up to 1.4, none");
  assert.is(await exposed(own.replace(/: weave/, ": other"), given), false);
  assert.is(await exposed(own, null), false, "it does not answer");
});

test("passwords of all launches so far are kept out of messages, in whatever form they were given", async () => {
  const unit = "ExecStart=/mnt/weave launch --password='of the unit' host2\n";
  const kernel = { ...running().kernel, "/proc/912/environ": "WEAVE_PASSWORD=of the running unit\0" };
  const inspected = {
    ...INSPECTED,
    Config: { Image: CONTAINER.image, Env: ["WEAVE_PASSWORD=of the container"] },
    Args: ["--password", "of-its-arguments"],
  };
  const host = fakeHost({
    ...running(),
    kernel,
    files: {
      ...running().files,
      "/etc/systemd/system/weave.service": { content: unit, mode: 0o644 },
      "/etc/weave.env": {
        content: `WEAVE_PASSWORD="of the f\xc3\xafle \\"2\\""\nexport TOKEN='of another line'\n`,
        mode: 0o600,
      },
    },
    services: {
      ...running().services,
      "GET /var/run/docker.sock/containers/weave/json": { status: 200, body: JSON.stringify(inspected) },
    },
  });
  await observe(serviceOptions({ state: "stopped" }), host);
  for (const secret of [
    "of the unit",
    "of the running unit",
    "of the container",
    "of-its-arguments",
    'of the f\u00efle "2"',
    "of another line",
  ]) {
    assert.is(
      hideRememberedSecrets(`weave[1]: wrong password ${JSON.stringify(secret)}!`).includes("of"),
      false,
      secret,
    );
  }
});

test("a unit that this run has started was not started before it", async () => {
  const kernel = { ...running().kernel, "/proc/912/stat": processStat(201) };
  assert.is((await observe(serviceOptions(), fakeHost({ ...running(), kernel }))).startedBefore, false);
});

test("a unit that systemd has not reloaded is found", async () => {
  const programs = { ...running().programs, [SHOW]: "MainPID=912\nActiveState=active\nNeedDaemonReload=yes\n" };
  assert.is((await observe(serviceOptions(), fakeHost({ ...running(), programs }))).unit.needsReload, true);
});

test("a Docker that nothing starts at boot is found, and warned of", async () => {
  const unit = "MainPID=912\nActiveState=active\nNeedDaemonReload=no\n";
  const by = async (ofDocker: string): Promise<string> => {
    const programs = { ...running().programs, [SHOW]: `${unit}\n${ofDocker}` };
    const observed = await observe(serviceOptions(), fakeHost({ ...running(), programs }));
    return String(plan(serviceOptions(), observed).warnings);
  };
  assert.is(await by("WantedBy=\nRequiredBy=weave.service kubelet.service\n"), "");
  assert.match(
    await by("WantedBy=weave.service\nRequiredBy=weave.service weaveproxy.service\n"),
    /^Docker: must be started at boot, as weave\.service starts with it .* Run systemctl enable docker\.$/,
  );
});

test("upstart is detected by its jobs", async () => {
  const kernel = { ...fresh.kernel, "/proc/1/comm": "init" };
  const programs = { "initctl status weave": "weave start/running, process 912\n" };
  const upstart = { ...fresh, kernel, programs, names: { ...fresh.names, "/etc/init": ["rc-sysinit.conf"] } };
  const { init, unit } = await observe(serviceOptions({ state: "stopped" }), fakeHost(upstart));
  assert.equal([init, unit.state, unit.pid], ["upstart", "running", 912]);
  const launching = { ...upstart, kernel: { ...kernel, "/proc/912/comm": "sh" } };
  assert.is((await observe(serviceOptions({ state: "stopped" }), fakeHost(launching))).unit.state, "starting");
  assert.match(
    await userErrorLater(async () => observe(serviceOptions(), fakeHost({ ...upstart, names: {} }))),
    "weave_service: this host's init system must be systemd or upstart",
  );
});

test("a host without the script is rejected only if the router is to run", async () => {
  const bare = fakeHost({ ...fresh, files: {} });
  assert.is(
    await userErrorLater(async () => observe(serviceOptions(), bare)),
    "script: must be the weave script's path on this host (found no file /usr/local/bin/weave). Copy the script there, or correct the path.",
  );
  for (const state of ["stopped", "absent"]) {
    assert.is((await observe(serviceOptions({ state }), bare)).script.version, null);
  }
  assert.is((await observe(serviceOptions({ script_version: "1.9.8" }), bare)).script.series, "1.2");
});

test.run();
