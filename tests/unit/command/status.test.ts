import { test } from "uvu";
import * as assert from "uvu/assert";
import { plain } from "../../../modules/command/paint";
import { type Observed, observe } from "../../../modules/command/status/observe";
import { renderStatus } from "../../../modules/command/status/render";
import { summarise } from "../../../modules/command/status/summarise";
import { UserError } from "../../../modules/core/errors";
import { FRESH as FRESH_DOCKER, runningWith, STEADY as STEADY_DOCKER } from "../docker_bridge_opts/hosts";
import { memoryHost } from "../support/memory_host";
import { FRESH as FRESH_BRIDGE, MAC, steadyRouter, steadyVxlan } from "../weave_bridge/hosts";
import { CONTAINER, ROUTER, FRESH as WITHOUT_SERVICE, steady as withService } from "../weave_service/hosts";

const FRESH: Observed = {
  bridge: FRESH_BRIDGE,
  docker: FRESH_DOCKER,
  service: { init: "systemd", name: "weave.service", unit: WITHOUT_SERVICE.unit },
  container: null,
  router: null,
  told: [],
  unseen: [],
};
const VXLAN: Observed = { ...FRESH, bridge: steadyVxlan(), docker: STEADY_DOCKER };
const BY_ROUTER: Observed = {
  ...VXLAN,
  bridge: steadyRouter(),
  service: { init: "systemd", name: "weave.service", unit: withService().unit },
  container: CONTAINER,
  router: ROUTER,
};

const lines = (observed: Observed): string => renderStatus(summarise("weave", observed), plain);
const owed = (observed: Observed): readonly string[] => summarise("weave", observed).owed;
const withDocker = (more: Partial<NonNullable<Observed["docker"]>>): Observed => ({
  ...VXLAN,
  docker: { ...STEADY_DOCKER, ...more },
});

test("a fresh host", () => {
  assert.is(
    lines(FRESH),
    `bridge    none
boot      none
datapath  none
peers     none
subnet    none
docker    running 20.10.24, started by systemd
options   --host=fd://
service   none (systemd)
router    none answers
owed      nothing
`,
  );
});

test("a host on the network, by the kernel's VXLAN and by the router", () => {
  const bridge = (mtu: number): string => `bridge    weave up, 10.2.0.1/16, mtu ${mtu}, ${MAC}, 0 containers\n`;
  const text = lines(VXLAN);
  assert.match(text, bridge(1450));
  assert.match(text, "boot      /etc/network/interfaces.d/weave.cfg\n");
  assert.match(text, "datapath  vxlan weave-vx, id 6783, UDP port 4789, from 192.168.50.11\n");
  assert.match(text, "peers     192.168.50.12, 192.168.50.13\n");
  assert.match(text, "subnet    10.2.1.0/24\n");
  assert.match(text, "owed      nothing\n");

  const routed = lines(BY_ROUTER);
  assert.match(routed, bridge(1500));
  assert.match(routed, "datapath  router\npeers     192.168.50.12:6783 established\n");
  assert.match(
    routed,
    "service   weave.service running, starts with Docker, container of weaveworks/weave:2.8.1 running\n" +
      "router    2.8.1 0e:5f:33:00:00:01 (host1), not encrypted\n",
  );
});

test("a router that does not answer: what it is to connect to", () => {
  const text = lines({ ...BY_ROUTER, container: null, router: null, told: ["192.168.50.12", "docker3"] });
  assert.match(text, "datapath  router\npeers     192.168.50.12 not connected, docker3 not connected\n");
  assert.match(text, "router    none answers\n");
});

test("what is owed: a restart of Docker, with what it runs with", () => {
  assert.equal(owed(withDocker({ daemon: runningWith("--bridge=weave --mtu=1450") })), [
    "a restart of Docker (apollo-weave docker-opts --state restarted): it runs with no --fixed-cidr no --dns " +
      "no --dns-search, its files say --fixed-cidr=10.2.1.0/24 --dns=172.17.42.1 --dns=8.8.8.8 --dns-search=service.consul",
  ]);
  // Taken out of the files since.
  assert.match(
    owed({ ...FRESH, docker: { ...FRESH_DOCKER, daemon: runningWith("--bridge=weave") } })[0] ?? "",
    "it runs with --bridge=weave, its files say no --bridge",
  );
});

test("a restart is owed perhaps where nobody knows what the daemon has read", () => {
  assert.equal(owed({ ...FRESH, docker: { ...FRESH_DOCKER, daemon: { ...runningWith(""), file: null } } }), [
    "perhaps a restart of Docker, which was started before /etc/docker/daemon.json was last changed",
  ]);
});

test("what is owed: the bridge that Docker is to use, and what makes it at boot", () => {
  assert.equal(owed({ ...VXLAN, bridge: FRESH_BRIDGE }), [
    "the bridge weave, which Docker is to use (apollo-weave bridge)",
  ]);
  assert.equal(owed({ ...VXLAN, bridge: { ...steadyVxlan(), files: FRESH_BRIDGE.files } }), [
    "a file that makes the bridge weave at boot (apollo-weave bridge)",
  ]);
  assert.equal(owed({ ...VXLAN, bridge: { ...steadyVxlan(), cutOffPorts: ["veth0000001", "veth0000002"] } }), [
    "the bridge for 2 containers that are on none (apollo-weave bridge)",
  ]);
});

test("a stopped Docker owes nothing, and its files tell its options", () => {
  const stopped = withDocker({ daemon: null });
  assert.equal(owed(stopped), []);
  assert.match(lines(stopped), /^docker {4}stopped 20\.10\.24, started by systemd\noptions {3}.*--bridge=weave/m);
});

test("a host where nothing is there to look at", async () => {
  const seen = await observe("weave", memoryHost({ programs: { "ip -d addr show": "" } }));
  assert.equal([seen.docker, seen.service, seen.router], [null, null, null]);
  assert.equal(seen.unseen, [
    "there is no systemd here and none of /etc/init/docker.conf, /etc/init.d/docker; install Docker first",
    'this host\'s init system is neither systemd nor upstart (its first process is "")',
  ]);
  assert.match(lines(seen), "bridge    none\n");
});

test("what may not be read is as if it were not there, and is named once", async () => {
  const host = memoryHost({
    kernel: { "/var/run/docker.pid": "7", "/proc/7/comm": "dockerd", "/proc/1/comm": "systemd" },
    programs: {
      "ip -d addr show": "",
      "systemctl show weave.service -p ActiveState,SubState,Job,NeedDaemonReload,MainPID": "",
    },
  });
  const { unseen, service } = await observe("weave", {
    ...host,
    readFile: (path) => {
      if (path.startsWith("/etc/systemd"))
        throw new UserError(`can't read ${path}: EACCES; run as root (become: true)`);
      return host.readFile(path);
    },
    request: ({ to }) =>
      "socket" in to
        ? Promise.reject(new UserError(`GET ${to.socket}/containers/weave/json: connect EACCES ${to.socket}`))
        : Promise.resolve(null),
  });
  assert.is(unseen.filter((why) => why === "can't ask /var/run/docker.sock: EACCES; run as root").length, 1);
  assert.ok(unseen.includes("can't read /etc/systemd/system/weave.service: EACCES; run as root"));
  assert.is(service?.name, "weave.service");
});

test.run();
