import { test } from "uvu";
import * as assert from "uvu/assert";
import { observe } from "../../../modules/weave_service/observe";
import type { Contents } from "../support/fake_host/contents";
import { fakeHost } from "../support/fake_host/fake_host";
import { done, processStat } from "../support/fake_host/part";
import { userErrorLater } from "../support/user_error";
import { CONTAINER, FRESH, ROUTER, SCRIPT, serviceOptions, steady } from "./fixtures";

const SHOW = "systemctl show weave.service -p ActiveState,SubState,Job,NeedDaemonReload,MainPID";
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
  names: { "/usr/sbin": ["ethtool"] },
  addresses: FRESH.ownHost.addresses,
  services: { "GET /var/run/docker.sock/version": { status: 200, body: '{"MinAPIVersion":"1.12"}' } },
  programs: { [SHOW]: "MainPID=0\nActiveState=inactive\nNeedDaemonReload=no\n" },
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
      [SHOW]: "MainPID=912\nActiveState=active\nNeedDaemonReload=no\n",
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
    fakeHost({ ...running(), kernel }),
  );
  assert.equal([container, router, oldestDockerApi], [null, null, null]);
});

test("a port with TX checksum offload on is found, and a host without ethtool", async () => {
  const programs = { ...running().programs, "ethtool -k vethwe-bridge": "tx-checksumming: on\n" };
  assert.equal((await observe(serviceOptions(), fakeHost({ ...running(), programs }))).offloadingPorts, [
    "vethwe-bridge",
  ]);
  assert.is((await observe(serviceOptions(), fakeHost({ ...fresh, names: {} }))).offloadingPorts, null);
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
  assert.is((await observe(serviceOptions(), fakeHost({ ...running(), programs }))).unit.state, "failed");
});

test("a unit that this run has started was not started before it", async () => {
  const kernel = { ...running().kernel, "/proc/912/stat": processStat(201) };
  assert.is((await observe(serviceOptions(), fakeHost({ ...running(), kernel }))).startedBefore, false);
});

test("a unit that systemd has not reloaded is found", async () => {
  const programs = { ...running().programs, [SHOW]: "MainPID=912\nActiveState=active\nNeedDaemonReload=yes\n" };
  assert.is((await observe(serviceOptions(), fakeHost({ ...running(), programs }))).unit.needsReload, true);
});

test("upstart is detected by its jobs", async () => {
  const kernel = { ...fresh.kernel, "/proc/1/comm": "init" };
  const programs = { "initctl status weave": "weave start/running, process 912\n" };
  const upstart = { ...fresh, kernel, programs, names: { "/usr/sbin": ["ethtool"], "/etc/init": ["rc-sysinit.conf"] } };
  const { init, unit } = await observe(serviceOptions({ state: "stopped" }), fakeHost(upstart));
  assert.equal([init, unit.state, unit.pid], ["upstart", "running", 912]);
  const launching = { ...upstart, kernel: { ...kernel, "/proc/912/comm": "sh" } };
  assert.is((await observe(serviceOptions({ state: "stopped" }), fakeHost(launching))).unit.state, "starting");
  assert.match(
    await userErrorLater(async () => observe(serviceOptions(), fakeHost({ ...upstart, names: {} }))),
    "weave_service: this host's init system must be systemd or upstart",
  );
});

test("a host without the script is refused only if the router is to run", async () => {
  const bare = fakeHost({ ...fresh, files: {} });
  assert.is(
    await userErrorLater(async () => observe(serviceOptions(), bare)),
    "script: must be the weave script's path on this host (found no file /usr/local/bin/weave). Copy the script there, or correct the path.",
  );
  for (const state of ["stopped", "absent"]) {
    assert.is((await observe(serviceOptions({ state }), bare)).script.version, null);
  }
  assert.is((await observe(serviceOptions({ script_version: "1.9.8" }), bare)).script.generation, "second");
});

test.run();
