/** The shell scripts of the role's verify.yml; small scripts stand in for the programs that they run. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const SCRIPTS = join(__dirname, "../../../roles/weave/files");
const TOOLS = ["grep", "head", "id", "paste", "sed", "sleep", "sort", "timeout"];

const ADDRESS = `[ "$*" != "-o -4 addr show dev weave" ] || echo '4: weave    inet 10.2.0.1/16 brd 10.2.255.255 scope global weave'`;
const LINK = (flags: string): string =>
  `[ "$*" != "-o link show dev weave" ] || echo '4: weave: <BROADCAST,MULTICAST${flags}> mtu 1450 state X'`;
const VXLAN = `case $* in *vxlan) echo '5: weave-vx: <BROADCAST,UP,LOWER_UP> mtu 1450 \\    vxlan id 6783 local 192.0.2.1 srcport 0 0 dstport 4789 ttl auto' ;; esac`;
const NO_TUNNELS = { kind: "none", port: null, state: "missing", local: null, peers: [] };

let directory: string;
test.before.each(() => {
  directory = mkdtempSync(join(tmpdir(), "apollo-weave-verify-"));
  mkdirSync(join(directory, "bin"));
  for (const tool of TOOLS) {
    const path = ["/usr/bin", "/bin"].map((place) => join(place, tool)).find(existsSync);
    assert.ok(path, tool);
    symlinkSync(path, join(directory, "bin", tool));
  }
});
test.after.each(() => rmSync(directory, { recursive: true, force: true }));

/** Puts programs where the script finds them, each a piece of shell. */
function programs(bodies: Record<string, string>): void {
  for (const [name, body] of Object.entries(bodies)) {
    writeFileSync(join(directory, "bin", name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
}

function run(script: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync("/bin/sh", [join(SCRIPTS, script), ...args], {
    env: { PATH: join(directory, "bin") },
    encoding: "utf8",
  });
}

function probe(limit = 5, ...network: string[]): Record<string, unknown> {
  const { status, stdout, stderr } = run("verify_probe.sh", String(limit), ...network);
  assert.is(status, 0, stderr);
  return JSON.parse(stdout);
}

/** A Docker with these containers: name, PID and network mode, as `docker inspect` prints them. */
const dockerWith = (...containers: string[]): string => `case $1 in
  ps) ${containers.map((_, index) => `echo id${index}`).join("; ")} ;;
  inspect) ${containers.map((line) => `echo '/${line}'`).join("; ")} ;;
esac`;

/** Who has which address, by PID. */
const addresses = (byPid: Record<number, string>): string => `case $2 in
${Object.entries(byPid)
  .map(([pid, address]) => `${pid}) echo '6: eth0    inet ${address}/16 scope global eth0' ;;`)
  .join("\n")}
esac`;

test("a host without bridge, Docker and router", () => {
  programs({ ip: "exit 1", ss: "exit 1" });
  assert.equal(probe(), {
    bridge: { state: "missing", address: null },
    datapath: NO_TUNNELS,
    docker: "missing",
    containers: [],
    others: [],
    containers_total: 0,
    off_network: [],
    not_running: [],
    subnet: null,
    user_id: process.getuid?.(),
  });
});

test("the bridge's state and what carries its frames", () => {
  programs({
    ip: [ADDRESS, LINK(",UP,LOWER_UP"), VXLAN].join("\n"),
    bridge: `[ "$*" != "fdb show dev weave-vx" ] || cat <<'END'
02:42:0a:02:02:01 dst 192.0.2.2 self
00:00:00:00:00:00 dst 192.0.2.3 self permanent
00:00:00:00:00:00 dst 192.0.2.2 self permanent
33:33:00:00:00:01 dev weave-vx self permanent
END`,
  });
  symlinkSync("/bin/cat", join(directory, "bin/cat"));
  const tunnels = { local: "192.0.2.1", peers: ["192.0.2.2", "192.0.2.3"] };
  assert.equal(probe()["bridge"], { state: "up", address: "10.2.0.1" });
  assert.equal(probe()["datapath"], { kind: "vxlan", id: 6783, port: 4789, state: "up", ...tunnels });
  programs({
    ip: [ADDRESS, LINK("")].join("\n"),
    ss: `case $1 in -ltn) echo 'LISTEN 0 128 *:6783 *:*' ;; *) cat <<'END' ;; esac
Recv-Q Send-Q         Local Address:Port           Peer Address:Port Process
0      0                  192.0.2.1:6783              192.0.2.3:41000
0      0         [::ffff:192.0.2.1]:40112    [::ffff:192.0.2.2]:6783
END`,
  });
  assert.equal(probe()["bridge"], { state: "down", address: "10.2.0.1" });
  assert.equal(probe()["datapath"], { kind: "router", port: 6783, state: "up", ...tunnels });
  programs({ ss: "echo 'LISTEN 0 128 *:6783 *:*'" });
  assert.equal(probe()["datapath"], { kind: "router", port: 6783, state: "up", local: null, peers: [] });
});

test("frames are dropped if bridges call iptables, and FORWARD drops by default or Docker isolates containers", () => {
  const call = "/proc/sys/net/bridge/bridge-nf-call-iptables";
  const frames = (value: string, ...rules: string[]): unknown => {
    programs({ ip: ADDRESS, iptables: `printf '%s\\n' ${rules.map((rule) => `'${rule}'`).join(" ")}` });
    const script = readFileSync(join(SCRIPTS, "verify_probe.sh"), "utf8");
    assert.match(script, `<${call}; fi`);
    writeFileSync(join(directory, "call"), `${value}\n`);
    const { stdout } = spawnSync("/bin/sh", ["-c", script.replaceAll(call, join(directory, "call")), "sh", "5"], {
      env: { PATH: join(directory, "bin") },
      encoding: "utf8",
    });
    return (JSON.parse(stdout) as Record<string, unknown>)["frames"];
  };
  const [accept, drop] = ["-P FORWARD ACCEPT", "-P FORWARD DROP"];
  assert.is(frames("1", drop), "dropped");
  assert.is(frames("0", drop), undefined);
  assert.is(frames("1", accept), undefined);
  assert.is(frames("1", accept, "-A FORWARD -j REJECT --reject-with icmp-host-prohibited"), "dropped");
  for (const rule of [
    "-A FORWARD -i weave -o weave -m comment --comment weave_service -j ACCEPT",
    "-A FORWARD -i weave -o weave -j ACCEPT",
    "-A DOCKER-FORWARD -i weave -o weave -j ACCEPT",
    "-A DOCKER-FORWARD -i weave -j ACCEPT",
  ]) {
    assert.is(frames("1", drop, rule), undefined, rule);
  }
  for (const rule of [
    "-A FORWARD -i docker0 -o docker0 -j ACCEPT",
    "-A FORWARD -i weave -o weave -p icmp -j ACCEPT",
    "-A DOCKER-FORWARD -i weave -o docker0 -j ACCEPT",
  ]) {
    assert.is(frames("1", drop, rule), "dropped", rule);
  }
  const own = "-A FORWARD -i weave -o weave -m comment --comment weave_bridge -j ACCEPT";
  // Without icc. Docker 28 drops in a chain of its own, and puts it first whenever it starts; Docker 20.10 drops last.
  const [chain, isolating] = ["-A FORWARD -j DOCKER-FORWARD", "-A DOCKER-FORWARD -i weave -o weave -j DROP"];
  assert.is(frames("1", drop, chain, own, isolating), "icc_off");
  assert.is(frames("1", accept, chain, isolating), "icc_off");
  assert.is(frames("1", accept, "-A FORWARD -i weave -o weave -j DROP"), "icc_off");
  assert.is(frames("1", drop, own, chain, isolating), undefined);
  assert.is(frames("1", drop, own, "-A FORWARD -i weave -o weave -j DROP"), undefined);
  assert.is(
    frames("1", drop, chain, own, "-A DOCKER-FORWARD -i docker_gwbridge -o docker_gwbridge -j DROP"),
    undefined,
  );
  programs({ iptables: "exit 1" });
  assert.not("frames" in probe());
});

/** What wg prints of two peers, one with a session for 7 seconds; its secret keys are SECRET. */
const WG = `[ "$*" != "show weave-wg dump" ] || cat <<'END'
SECRET\tOWN=\t51820\toff
KEY2=\tSECRET\t192.0.2.2:51820\tfe80::2/128\t993\t1500\t900\toff
KEY3=\tSECRET\t(none)\tfe80::3/128\t0\t0\t740\toff
END`;

test("what encrypts the VXLAN, before and after the pings, without a secret key", () => {
  symlinkSync("/bin/cat", join(directory, "bin/cat"));
  const encrypted = VXLAN.replace("local 192.0.2.1", "local fe80::1 dev weave-wg");
  const device = `[ "$*" != "-o link show dev weave-wg" ] || echo '6: weave-wg: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1440'`;
  const fdb = `[ "$*" != "fdb show dev weave-vx" ] || echo '00:00:00:00:00:00 dst fe80::2 via weave-wg self permanent'`;
  programs({ ip: [ADDRESS, LINK(",UP"), encrypted, device].join("\n"), bridge: fdb, date: "echo 1000", wg: WG });
  const peer = {
    key: "KEY2=",
    endpoint: "192.0.2.2:51820",
    address: "fe80::2",
    handshake: 7,
    received: 1500,
    sent: 900,
  };
  const silent = { key: "KEY3=", endpoint: "(none)", address: "fe80::3", handshake: null, received: 0, sent: 740 };
  const wireguard = { state: "up", key: "OWN=", port: 51820, peers: [peer, silent] };
  const { stdout } = run("verify_probe.sh", "5");
  assert.not.match(stdout, "SECRET");
  const datapath = { kind: "vxlan", id: 6783, port: 4789, state: "up", local: "fe80::1", peers: ["fe80::2"] };
  assert.equal(JSON.parse(stdout).datapath, { ...datapath, wireguard });
  programs({ ping: "exit 1" });
  const { stdout: after } = run("verify_ping.sh", "1", "0", "10.2.0.2");
  assert.not.match(after, "SECRET");
  assert.equal(JSON.parse(after).handshakes, { "KEY2=": [7, 1500, 900], "KEY3=": [null, 0, 740] });
  programs({ wg: "exit 1" });
  assert.equal(probe()["datapath"], { ...datapath, wireguard: { state: "up" } });
});

test("the subnet is that of the containers on this bridge", () => {
  const docker = (bridge: string): string =>
    `case $* in "network inspect bridge "*) echo '${bridge} 10.2.1.0/24 ' ;; esac`;
  programs({ docker: docker("weave") });
  assert.is(probe()["subnet"], "10.2.1.0/24");
  programs({ docker: docker("docker0") });
  assert.is(probe()["subnet"], null);
});

test("containers are listed by name, up to the limit, each address once", () => {
  programs({
    ip: ADDRESS,
    docker: dockerWith("web 30 default", "db 20 bridge", "pod 21 container:db", "weave 1 host", "app 40 bridge"),
    nsenter: addresses({ 1: "10.2.0.1", 20: "10.2.1.2", 21: "10.2.1.2", 30: "10.2.1.3", 40: "10.2.1.4" }),
  });
  const report = probe(2);
  assert.equal(report["containers"], [
    { name: "app", address: "10.2.1.4", pid: 40 },
    { name: "db", address: "10.2.1.2", pid: 20 },
  ]);
  assert.is(report["containers_total"], 3);
  assert.equal(report["off_network"], []);
});

test("of the containers over the limit those that make ten are listed, and of each its service and ports", () => {
  const numbers = Array.from({ length: 12 }, (_, index) => index + 10);
  programs({
    ip: ADDRESS,
    docker: dockerWith(
      ...numbers.map((number) => `c${number} ${number} bridge running .${number === 10 ? "a%22b%7B%7B" : ""} . .`),
      "api 30 bridge running .api .8080 .",
      "b 31 bridge running . . .8080:80/tcp,443/tcp,",
    ),
    nsenter: addresses(Object.fromEntries([...numbers, 30, 31].map((number) => [number, `10.2.1.${number}`]))),
  });
  const report = probe(2);
  assert.equal(report["containers"], [
    { name: "api", address: "10.2.1.30", pid: 30, service: "api", port: "8080" },
    { name: "b", address: "10.2.1.31", pid: 31, ports: "8080:80/tcp,443/tcp," },
  ]);
  const others = report["others"] as { name: string; service?: string }[];
  assert.equal(
    others.map(({ name }) => name),
    ["c10", "c11", "c12", "c13", "c14", "c15", "c16", "c17"],
  );
  assert.is(others[0]?.service, "a%22b%7B%7B");
  assert.is(report["containers_total"], 14);
});

test("of the containers off the network, those on Docker's own bridge are listed", () => {
  programs({
    ip: ADDRESS,
    docker: dockerWith("a 20 default", "b 30 mine", "c 40 none", "d 50 bridge"),
    nsenter: addresses({}),
  });
  assert.equal(probe()["off_network"], ["a", "d"]);
  assert.is(probe()["containers_total"], 0);
});

test("containers that Docker starts again and again, or fails to start, are not off the network but do not run", () => {
  programs({
    ip: ADDRESS,
    docker: `case $* in
  "ps --quiet") echo id0 id1 ;;
  "ps --all --quiet "*created*exited*) echo id2 id3 ;;
  *State.Error*) printf '/taken\\n\\n' ;;
  inspect*) printf '/web 20 bridge running\\n/loops 0 bridge restarting\\n' ;;
esac`,
    nsenter: addresses({ 20: "10.2.1.2" }),
  });
  const report = probe();
  assert.equal(report["not_running"], ["taken", "loops"]);
  assert.equal(report["off_network"], []);
  assert.is(report["containers_total"], 1);
});

test("a Docker without its client is distinguished from none", () => {
  programs({ ip: "exit 1", ss: "exit 1", dockerd: "" });
  assert.is(probe()["docker"], "no_client");
});

test("with a separate Docker network, the subnet and the containers that are not on it are found for that network", () => {
  programs({
    ip: ADDRESS,
    docker: `case $* in "network inspect weave "*) echo 'weave 10.2.1.0/24 ' ;; esac
${dockerWith("a 20 default", "b 30 weave", "c 40 other", "d 50 weave")}`,
    nsenter: addresses({ 50: "10.2.1.1" }),
  });
  const report = probe(5, "weave");
  assert.is(report["subnet"], "10.2.1.0/24");
  assert.equal(report["off_network"], ["b"]);
  assert.equal(report["containers"], [{ name: "d", address: "10.2.1.1", pid: 50 }]);
});

test("a stopped Docker is not started by a request to its socket", () => {
  programs({
    ip: ADDRESS,
    systemctl: '[ "$3" = docker.socket ]',
    dockerd: "",
    docker: `echo asked >${join(directory, "asked")}`,
  });
  assert.is(probe()["docker"], "stopped");
  assert.not.ok(existsSync(join(directory, "asked")));
});

test("a Docker that does not run is stopped; one that runs but fails is failing; one that does not answer in time, unresponsive", () => {
  const error = 'permission denied: "unix:///var/run/docker.sock" [*]';
  programs({ ip: ADDRESS, docker: `echo '${error}' >&2; exit 1`, dockerd: "" });
  assert.equal([probe()["docker"], probe()["docker_error"]], ["stopped", undefined]);
  programs({ systemctl: '[ "$3" = docker.service ]' });
  assert.equal([probe()["docker"], probe()["docker_error"]], ["failing", error.replaceAll('"', "")]);
  rmSync(join(directory, "bin/timeout"));
  programs({ systemctl: "exit 1", timeout: "exit 124" });
  assert.is(probe()["docker"], "unresponsive");
});

test("of a Docker that does not say everything, nothing is taken for missing: one container that hangs, or another error", () => {
  const asked = join(directory, "asked");
  const docker = (fails: string, how: string): string => `echo "$*" >>${asked}
case $* in ${fails}) ${how} ;; esac
case $1 in ps) echo id0 id1 ;; inspect) printf '/a 20 bridge running\\n' ;; network) echo 'weave 10.2.1.0/24 ' ;; esac`;
  const nsenter = addresses({ 20: "10.2.1.2" });
  programs({ ip: ADDRESS, nsenter, docker: docker("nothing", ":") });
  assert.equal([probe()["docker"], probe()["containers_total"], probe()["subnet"]], ["running", 1, "10.2.1.0/24"]);
  // As `timeout` ends with 124, so does this.
  for (const fails of ['"ps --quiet"', '"ps --all"*', "*State.Error*", "*State.Pid*", "network*"]) {
    rmSync(asked, { force: true });
    programs({ docker: docker(fails, "exit 124") });
    const report = probe();
    assert.is(report["docker"], "unresponsive", fails);
    const last = readFileSync(asked, "utf8").trim().split("\n").at(-1) ?? "";
    assert.match(last, new RegExp(fails.replaceAll('"', "").replaceAll("*", ".*")), "it is not asked again");
  }
  programs({ docker: docker("*State.Pid*", "echo 'template: cannot parse' >&2; exit 1") });
  assert.equal([probe()["docker"], probe()["docker_error"]], ["failing", "template: cannot parse"]);
  const ended = "echo '/b 30 bridge running'; echo 'Error: No such object: id0' >&2; exit 1";
  programs({ docker: docker("*State.Pid*", ended) });
  assert.equal([probe()["docker"], probe()["off_network"]], ["running", ["b"]]);
});

test("a unit without its program is no Docker that could be started, with or without the client", () => {
  const starts = (program: string): string =>
    `[ "$1" = show ] && echo 'ExecStart={ path=${program} ; argv[]=${program} -H fd:// ; ignore_errors=no }'`;
  programs({ ip: ADDRESS });
  for (const docker of [{}, { docker: "exit 1" }]) {
    programs(docker);
    for (const program of ["/nonexistent/dockerd", "/etc/init.d/docker"]) {
      programs({ systemctl: starts(program) });
      assert.is(probe()["docker"], "missing", program);
    }
    programs({ systemctl: starts("/bin/sh") });
    assert.is(probe()["docker"], docker.docker === undefined ? "no_client" : "stopped");
  }
});

const PING = `for address; do :; done
case $address in
  10.2.0.2) echo 'rtt min/avg/max/mdev = 0.045/0.052/0.061/0.007 ms' ;;
  10.2.0.3) echo 'round-trip min/avg/max = 12.061/13.071/14.081 ms' ;;
  *) echo '3 packets transmitted, 0 received, 100% packet loss'; exit 1 ;;
esac`;

test("pings are reported in milliseconds, from iputils and busybox, and null without an answer", () => {
  programs({ ping: PING });
  const { stdout } = run("verify_ping.sh", "1", "0", "10.2.0.2", "10.2.0.3", "10.2.0.4");
  const { host, container } = JSON.parse(stdout);
  assert.equal(host, { "10.2.0.2": 0.045, "10.2.0.3": 12.061, "10.2.0.4": null });
  assert.is(container, null);
});

test("an address that answers late is not blocked", () => {
  programs({
    ping: `[ -e ${join(directory, "up")} ] || { : >${join(directory, "up")}; exit 1; }\n${PING}`,
  });
  assert.equal(JSON.parse(run("verify_ping.sh", "4", "0", "10.2.0.2").stdout).host, { "10.2.0.2": 0.045 });
});

test("the host pings through the bridge only, the container through its own network", () => {
  programs({
    ping: `echo "$*" >>${join(directory, "pings")}\n${PING}`,
    nsenter: `[ "$4" != true ] || exit 0\necho "$*" >>${join(directory, "entered")}\n${PING}`,
  });
  run("verify_ping.sh", "1", "42", "10.2.0.2");
  const { stdout } = spawnSync("cat", [join(directory, "pings"), join(directory, "entered")], { encoding: "utf8" });
  assert.equal(stdout.split("\n"), [
    "-I weave -n -c 3 -i 0.2 -w 1 10.2.0.2",
    "-t 42 -n ping -n -c 3 -i 0.2 -w 1 10.2.0.2",
    "",
  ]);
});

test("a container that has ended is distinguished from one that reaches nothing", () => {
  programs({ ping: PING, nsenter: "exit 1" });
  assert.is(JSON.parse(run("verify_ping.sh", "1", "42", "10.2.0.2").stdout).container, null);
  programs({ nsenter: '[ "$4" = true ]' });
  assert.equal(JSON.parse(run("verify_ping.sh", "1", "42", "10.2.0.2").stdout).container, { "10.2.0.2": null });
});

test("every address is tested, however many there are", () => {
  programs({ ping: PING });
  const many = Array.from({ length: 60 }, (_, index) => `10.2.1.${index}`);
  const { host } = JSON.parse(run("verify_ping.sh", "1", "0", ...many).stdout);
  assert.equal(Object.keys(host).sort(), many.sort());
});

test("without ping, the error says what to install", () => {
  const { status, stderr } = run("verify_ping.sh", "1", "0", "10.2.0.2");
  assert.is(status, 1);
  assert.match(stderr, "Install iputils-ping");
});

test("a firewall that drops by default is named", () => {
  programs({ ip: "", ss: "" });
  assert.is(probe()["firewall"], undefined);
  programs({ nft: "echo '    type filter hook input priority filter; policy drop;'" });
  assert.is(probe()["firewall"], "nftables");
  programs({ iptables: `[ "$*" != "-w 5 -S INPUT" ] || echo '-P INPUT DROP'` });
  assert.is(probe()["firewall"], "iptables");
  programs({ systemctl: `[ "$*" = "is-active --quiet firewalld" ]` });
  assert.is(probe()["firewall"], "firewalld");
});

test.run();
