import { test } from "uvu";
import * as assert from "uvu/assert";
import { exitStatusOf, renderStatus } from "../../../modules/command/status/command";
import { renderMetrics } from "../../../modules/command/status/metrics";
import { type Observed, observe } from "../../../modules/command/status/observe";
import { summarise } from "../../../modules/command/status/summarise";
import { plain } from "../../../modules/command/terminal";
import { RequestError, UserError } from "../../../modules/core/errors";
import { parseWireguardDump } from "../../../modules/formats/wireguard";
import type { ObservedBridge } from "../../../modules/weave_bridge/observed";
import { FRESH as FRESH_DOCKER, runningWith, STEADY as STEADY_DOCKER } from "../docker_bridge_opts/fixtures";
import { fakeHost } from "../support/fake_host/fake_host";
import { gaugesIn } from "../support/metrics";
import { iptables } from "../weave_bridge/firewall_fixtures";
import { FRESH as FRESH_BRIDGE, MAC, steadyRouter, steadyVxlan } from "../weave_bridge/fixtures";
import { CONTAINER, ROUTER, FRESH as WITHOUT_SERVICE, steady as withService } from "../weave_service/fixtures";

const FRESH: Observed = {
  bridge: FRESH_BRIDGE,
  docker: FRESH_DOCKER,
  dockerMissing: null,
  service: { init: "systemd", name: "weave.service", unit: WITHOUT_SERVICE.unit },
  container: null,
  router: null,
  configuredPeers: [],
  errors: [],
};
const VXLAN: Observed = { ...FRESH, bridge: steadyVxlan(), docker: STEADY_DOCKER };
const BY_ROUTER: Observed = {
  ...VXLAN,
  bridge: steadyRouter(),
  service: { init: "systemd", name: "weave.service", unit: withService().unit },
  container: CONTAINER,
  router: ROUTER,
};

const FLAT = {
  ...{ id: "1", name: "flat", driver: "bridge", internal: false, members: null },
  options: { "com.docker.network.bridge.name": "weave" },
  pools: [
    { subnet: "fd00:1::/64", range: "", gateway: "fd00:1::1" },
    { subnet: "10.2.0.0/16", range: "10.2.7.0/24", gateway: "10.2.0.7" },
  ],
};
const ON_FLAT = { ...FRESH_DOCKER, daemon: { ...runningWith(""), networks: [FLAT] } };

const lines = (observed: Observed): string => renderStatus(summarise("weave", observed), plain);
const pending = (observed: Observed): readonly string[] => summarise("weave", observed).pending;
const withDocker = (more: Partial<NonNullable<Observed["docker"]>>): Observed => ({
  ...VXLAN,
  docker: { ...STEADY_DOCKER, ...more },
});

const gauges = (observed: Observed): Record<string, number> => gaugesIn(renderMetrics(summarise("weave", observed)));

test("metrics of a fresh host, of one on the network by either datapath, and of a pending restart", () => {
  const fresh = gauges(FRESH);
  assert.is(fresh["apollo_weave_bridge_up"], 0);
  assert.is(fresh["apollo_weave_docker_running"], 1);
  assert.is(fresh["apollo_weave_docker_on_bridge"], 0);
  const vxlan = gauges(VXLAN);
  for (const name of ["bridge_up", "datapath_up", "docker_running", "docker_on_bridge"]) {
    assert.is(vxlan[`apollo_weave_${name}`], 1, name);
  }
  assert.is(vxlan["apollo_weave_peers"], summarise("weave", VXLAN).peers.length);
  assert.not.ok("apollo_weave_peers_connected" in vxlan);
  assert.is(vxlan["apollo_weave_docker_restart_pending"], 0);
  assert.is(vxlan["apollo_weave_problems"], 0);
  const router = gauges(BY_ROUTER);
  const established = summarise("weave", BY_ROUTER).peers.filter(({ state }) => state === "established");
  assert.is(router["apollo_weave_peers_connected"], established.length);
  assert.is(gauges(withDocker({ daemon: null }))["apollo_weave_docker_running"], 0);
  const restart = gauges(withDocker({ daemon: runningWith("--bridge=docker0") }));
  assert.is(restart["apollo_weave_docker_restart_pending"], 1);
  assert.is(restart["apollo_weave_docker_on_bridge"], 0);
  assert.is(gauges({ ...VXLAN, docker: ON_FLAT })["apollo_weave_docker_on_bridge"], 1, "a network of its own");
  assert.is(gauges({ ...BY_ROUTER, router: null })["apollo_weave_problems"], 1);
});

test("what could not be read is left out of the metrics, as 0 would raise an alert", () => {
  const errors = ["/etc/docker/daemon.json: must be JSON (found a comma too many). Correct it."];
  const without = gauges({ ...VXLAN, docker: null, errors });
  for (const name of ["docker_running", "docker_on_bridge"]) assert.not.ok(`apollo_weave_${name}` in without, name);
  assert.is(without["apollo_weave_bridge_up"], 1);
  assert.is(without["apollo_weave_errors"], 1);
  const removed = gauges({ ...VXLAN, docker: null, dockerMissing: "docker.service: must exist (found none)." });
  for (const name of ["docker_running", "docker_on_bridge"]) assert.is(removed[`apollo_weave_${name}`], 0, name);
  const nothing = gauges({ ...FRESH, bridge: null, errors: ["ip: must run (found EACCES). Run as root."] });
  for (const name of ["bridge_up", "bridge_containers", "datapath_up", "peers"]) {
    assert.not.ok(`apollo_weave_${name}` in nothing, name);
    assert.is(gauges(FRESH)[`apollo_weave_${name}`], 0, name);
  }
});

test("a router of Weave 1.0 or 1.1, which has no report, is up if its container runs", () => {
  const up = (image: string, running = true): number | undefined =>
    gauges({ ...BY_ROUTER, container: { ...CONTAINER, image, running }, router: null })["apollo_weave_datapath_up"];
  assert.is(up("weaveworks/weave:1.1.2"), 1);
  assert.is(up("weaveworks/weave:1.1.2", false), 0);
  assert.is(up("weaveworks/weave:2.8.1"), 0);
});

test("a fresh host", () => {
  assert.is(
    lines(FRESH),
    `bridge    none
docker    running 20.10.24, started by systemd
options   --host=fd://
pending   none
`,
  );
});

test("a host whose Docker was removed says so, and has a problem", () => {
  const says = "docker.service: must start a program that exists (found no dockerd). Install Docker first.";
  const removed = lines({ ...VXLAN, docker: null, dockerMissing: says });
  assert.match(removed, `docker    not installed\nproblem   ${says}\npending   none\n`);
});

test("a host on the network, with the VXLAN datapath and with the router", () => {
  const bridge = (mtu: number): string => `bridge    weave up, 10.2.0.1/16, mtu ${mtu}, ${MAC}, 0 containers\n`;
  const text = lines(VXLAN);
  assert.match(text, bridge(1450));
  assert.match(text, "boot      /etc/network/interfaces.d/weave.cfg\n");
  assert.match(text, "datapath  vxlan weave-vx, id 6783, UDP port 4789, from 192.168.50.11, not encrypted\n");
  assert.match(text, "peers     192.168.50.12, 192.168.50.13\n");
  assert.match(text, "network   Docker's default network\nsubnet    10.2.1.0/24\n");
  assert.match(text, "pending   none\n");
  assert.match(lines({ ...VXLAN, docker: ON_FLAT }), "network   flat\nsubnet    10.2.7.0/24\n");

  const routed = lines(BY_ROUTER);
  assert.match(routed, bridge(1438));
  assert.match(routed, "datapath  router\npeers     192.168.50.12:6783 established\n");
  assert.match(
    routed,
    "service   weave.service running, starts with Docker, container of weaveworks/weave:2.8.1 running\n" +
      "router    2.8.1 0e:5f:33:00:00:01 (host1), not encrypted\n",
  );
});

/** Of three peers: one with a session, one that never answered, and one that nothing was sent to. */
const DUMP = `PRIVATE\tOWN\t51820\toff
KEY2\tPSK2\t192.168.50.12:51820\tfe80::2/128\t948\t1500\t900\toff
KEY3\tPSK3\t192.168.50.13:51820\tfe80::3/128\t0\t0\t740\toff
KEY4\tPSK4\t192.168.50.14:51820\tfe80::4/128\t0\t0\t0\toff
`;

test("encryption: each peer's handshake, bytes and endpoint, and a peer that does not answer with where to look", () => {
  const { vxlan, ...bridge } = steadyVxlan();
  const parameters = {
    ...{ id: 6783, port: 4789, local: "fe80::1", device: "weave-wg" },
    ...{ flags: [], ipv6: true },
  };
  const link = { mac: "", mtu: 1420, up: true, master: null };
  const wireguard = {
    ...link,
    addresses: ["fe80::1/64"],
    config: parseWireguardDump(DUMP),
    observedAt: 1000,
    byProgram: false,
  };
  const encrypted = { ...VXLAN, bridge: { ...bridge, vxlan: { ...vxlan, parameters }, wireguard } };
  const text = lines(encrypted);
  const drops = lines({ ...encrypted, bridge: { ...encrypted.bridge, firewall: iptables() } });
  assert.match(drops, "firewall  drops UDP port 51820 from 192.168.50.12, UDP port 51820 from 192.168.50.13, UDP port");
  assert.match(text, "from fe80::1, encrypted by WireGuard weave-wg, UDP port 51820\n");
  assert.match(
    text,
    "192.168.50.12 handshake 52 s ago (1500 B received, 900 B sent, 192.168.50.12:51820), 192.168.50.13 no handshake (",
  );
  const problems = text.split("\n").filter((line) => line.startsWith("problem "));
  assert.is(problems.length, 1);
  assert.match(
    problems[0] ?? "",
    /^problem {3}192\.168\.50\.13:51820 must answer by WireGuard \(found no handshake, and 740 B sent\)\. Check that UDP port 51820 /,
  );
  assert.not.match(text, /PRIVATE|PSK/);
  const metrics = gauges(encrypted);
  assert.is(metrics["apollo_weave_encrypted"], 1);
  assert.is(metrics["apollo_weave_peer_handshake_age_seconds 192.168.50.12"], 52);
  assert.is(metrics["apollo_weave_peer_handshake_age_seconds 192.168.50.13"], Number.POSITIVE_INFINITY);
  assert.is(gauges(VXLAN)["apollo_weave_encrypted"], 0);
  assert.not.ok("apollo_weave_encrypted" in gauges(BY_ROUTER));
});

test("what packet filters drop of the network's traffic: by the live tunnel, and unknown to users other than root", () => {
  const observed = (bridge: ObservedBridge, ...rules: string[]): Observed => ({
    ...{ ...VXLAN, container: null, router: null, configuredPeers: ["192.168.50.12:6783", "docker3"] },
    bridge: { ...bridge, firewall: iptables(...rules) },
  });
  const line = (all: Observed): string => /^firewall {2}(.*)/m.exec(lines(all))?.[1] ?? "";
  const accept = ["-A INPUT -i weave -j ACCEPT", "-A FORWARD -i weave -o weave -j ACCEPT"];
  assert.is(line(VXLAN), "unknown");
  assert.equal(summarise("weave", VXLAN).firewall, null);
  assert.not.ok("apollo_weave_firewall_drops" in gauges(VXLAN));
  const peers = ["UDP port 4789 from 192.168.50.12", "UDP port 4789 from 192.168.50.13"];
  const own = ["traffic of containers to 10.2.0.1", "frames between the ports of weave"];
  const closed = observed(steadyVxlan());
  assert.is(line(closed), `drops ${[...peers, ...own].join(", ")}`);
  assert.is(gauges(closed)["apollo_weave_firewall_drops"], 4);
  assert.is(line(observed(steadyVxlan(), ...accept)), `drops ${peers.join(", ")}`);
  const open = observed(steadyVxlan(), ...accept, "-A INPUT -d 192.168.50.11/32 -i eth0 -j ACCEPT");
  assert.is(line(open), "drops none of the network's traffic");
  assert.is(gauges(open)["apollo_weave_firewall_drops"], 0);
  const routed = observed(steadyRouter(), ...accept);
  assert.is(line(routed), "drops TCP port 6783 from 192.168.50.12, UDP port 6783 from 192.168.50.12");
  assert.is(line({ ...BY_ROUTER, bridge: routed.bridge }), line(routed));
  assert.not.match(lines(FRESH), "firewall");
});

test("a router that does not answer: the peers it is configured with", () => {
  const text = lines({ ...BY_ROUTER, container: null, router: null, configuredPeers: ["192.168.50.12", "docker3"] });
  assert.match(text, "datapath  router\npeers     192.168.50.12 not connected, docker3 not connected\n");
  assert.match(text, "router    no answer\n");
});

test("a device that carries nothing, and a router that does not answer, are problems", () => {
  const problems = (observed: Observed): readonly string[] => summarise("weave", observed).problems;
  for (const steady of [FRESH, VXLAN, BY_ROUTER]) assert.equal(problems(steady), []);
  const { bridge, vxlan, ...others } = steadyVxlan();
  assert.ok(bridge && vxlan);
  const remedy = "Run the playbook, or apollo-weave bridge.";
  const down = { ...others, bridge: { ...bridge, up: false }, vxlan: { ...vxlan, up: false } };
  assert.equal(problems({ ...VXLAN, bridge: down }), [
    `weave: must be up and have an address (found it down). ${remedy}`,
    `weave-vx: must be up and attached to the bridge weave (found it down). ${remedy}`,
  ]);
  const detached = { ...others, links: [], bridge, vxlan: { ...vxlan, master: null } };
  assert.equal(problems({ ...VXLAN, bridge: detached }), [
    `weave: must be up and have an address (found none). ${remedy}`,
    `weave-vx: must be up and attached to the bridge weave (found it attached to no bridge). ${remedy}`,
  ]);
  // The bridge of a router with mode proxy, of a host that is not exposed.
  assert.equal(problems({ ...BY_ROUTER, bridge: { ...FRESH_BRIDGE, bridge, links: [] } }), []);
  const elsewhere = { ...others, bridge, vxlan: { ...vxlan, master: "br0" } };
  assert.match(problems({ ...VXLAN, bridge: elsewhere }).join(), "(found it attached to br0)");
  const silent = { ...BY_ROUTER, router: null };
  const says = "weave.service: must run, and its router answer (found it running). See its log, and run the playbook.";
  assert.equal(problems(silent), [says]);
  assert.equal(problems({ ...silent, container: { ...CONTAINER, image: "weaveworks/weave:latest" } }), [says]);
  assert.equal(problems({ ...silent, container: { ...CONTAINER, image: "weaveworks/weave:1.0.3" } }), []);
  assert.equal(problems({ ...silent, container: null, errors: ["Docker: can't be asked."] }), [], "nothing is known");
  assert.equal(problems({ ...silent, docker: { ...STEADY_DOCKER, daemon: null } }), [], "Docker's start is pending");
});

test("the exit status: what could not be read, what is pending or does not work, or nothing of it", () => {
  const none = { errors: [], problems: [], pending: [] };
  assert.is(exitStatusOf(none), 0);
  assert.is(exitStatusOf({ ...none, problems: ["Docker: must be installed."] }), 3);
  assert.is(exitStatusOf({ ...none, pending: ["a restart of Docker"] }), 3);
  assert.is(exitStatusOf({ errors: ["Run as root."], problems: ["one"], pending: ["another"] }), 1);
});

test("pending: a restart of Docker, with the options it runs with", () => {
  assert.equal(pending(withDocker({ daemon: runningWith("--bridge=weave --mtu=1450") })), [
    "a restart of Docker (apollo-weave docker-opts --state restarted): it runs with no --fixed-cidr no --dns " +
      "no --dns-search, its files have --fixed-cidr=10.2.1.0/24 --dns=172.17.42.1 --dns=8.8.8.8 --dns-search=service.consul",
  ]);
  // Taken out of the files since.
  assert.match(
    pending({ ...FRESH, docker: { ...FRESH_DOCKER, daemon: runningWith("--bridge=weave") } })[0] ?? "",
    "it runs with --bridge=weave, its files have no --bridge",
  );
});

test("perhaps pending: a restart, if it is unknown what the daemon has read", () => {
  const changed: Observed = {
    ...FRESH,
    docker: { ...FRESH_DOCKER, daemon: { ...runningWith(""), configAtStart: null } },
  };
  assert.equal(pending(changed), ["perhaps a restart of Docker: /etc/docker/daemon.json has changed since it started"]);
  assert.not.ok("apollo_weave_docker_restart_pending" in gauges(changed));
});

test("pending: the bridge that Docker is configured to use, and the file that creates it at boot", () => {
  assert.equal(pending({ ...VXLAN, bridge: FRESH_BRIDGE }), [
    "the bridge weave, which Docker is configured to use (apollo-weave bridge)",
  ]);
  assert.equal(pending({ ...VXLAN, bridge: { ...steadyVxlan(), files: FRESH_BRIDGE.files } }), [
    "a file that creates the bridge weave at boot (apollo-weave bridge)",
  ]);
  assert.equal(pending({ ...VXLAN, bridge: { ...steadyVxlan(), detachedPorts: ["veth0000001", "veth0000002"] } }), [
    "2 containers must be attached to the bridge again (apollo-weave bridge)",
  ]);
});

test("with Docker stopped its start is pending, and its options are those of its files", () => {
  const stopped = withDocker({ daemon: null });
  assert.equal(pending(stopped), ["a restart of Docker (apollo-weave docker-opts --state restarted): it is stopped"]);
  assert.is(gauges(stopped)["apollo_weave_docker_restart_pending"], 1);
  const failed = withDocker({ daemon: null, service: { ...STEADY_DOCKER.service, failed: true } });
  assert.match(pending(failed)[0] ?? "", ": it has failed");
  assert.match(lines(stopped), /^docker {4}stopped 20\.10\.24, started by systemd\noptions {3}.*--bridge=weave/m);
});

test("a host without any of the parts", async () => {
  const observed = await observe("weave", fakeHost({ programs: { "ip -d -batch -": "" } }));
  assert.equal([observed.docker, observed.service, observed.router], [null, null, null]);
  assert.is(
    observed.dockerMissing,
    "Docker: must be installed (found no systemd, and neither /etc/init/docker.conf nor /etc/init.d/docker). Install it first.",
  );
  assert.equal(observed.errors, [
    'weave_service: this host\'s init system must be systemd or upstart (found "" as its first process). Use a host with either.',
  ]);
  assert.match(lines(observed), "bridge    none\ndocker    not installed\nproblem   Docker: must be installed (found");
});

test("what can't be read is treated as absent, and reported once", async () => {
  const host = fakeHost({
    kernel: { "/var/run/docker.pid": "7", "/proc/7/comm": "dockerd", "/proc/1/comm": "systemd" },
    programs: {
      "ip -d -batch -": "",
      "systemctl show weave.service docker.service -p ActiveState,SubState,Job,NeedDaemonReload,MainPID,WantedBy,RequiredBy":
        "ActiveState=inactive\n",
    },
  });
  const forbidden = host.with({
    readFile: (path) => {
      if (path.startsWith("/etc/systemd"))
        throw new UserError(`${path}: can't be read (found EACCES). Run as root (become: true).`);
      return undefined;
    },
    request: ({ to }) => {
      if ("socket" in to) throw new RequestError("GET /containers/weave/json", "EACCES", "Run as root.", "EACCES");
      return null;
    },
  });
  const { errors, service } = await observe("weave", forbidden);
  const closed = "/var/run/docker.sock: must be open to this user (found EACCES). Run as root.";
  assert.is(errors.filter((why) => why === closed).length, 1);
  assert.ok(errors.includes("/etc/systemd/system/weave.service: can't be read (found EACCES). Run as root."));
  assert.equal(
    errors.filter((why) => why.includes("Docker: must listen")),
    [],
  );
  assert.is(service?.name, "weave.service");
});

test.run();
