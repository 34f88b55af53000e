import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { installWeaveStandIn, standInDirectory } from "../stand-ins/weave/install";
import { subjects } from "./command";
import { bootHosts } from "./hosts";
import { type ModuleRun, runModule } from "./module";
import { ansiblePlaybook } from "./playbook";
import { sh } from "./shell";

/** weave_service by itself: what was there before it, what fails, what is slow, and scripts of all series. */
const test = suite("weave_service");
let cluster: Cluster;
let host: Host;

test.before(async () => {
  cluster = await bootHosts(1);
  host = cluster.host("apollo1");
  await installWeaveStandIn(host);
  const bridge = await ansiblePlaybook(cluster.inventory, ["site.yml"]);
  assert.is(bridge.status, 0, bridge.output);
});
test.after(() => cluster.down());

const launchedAt = (container = "weave"): Promise<string> =>
  sh(host, `docker inspect --format '{{.State.StartedAt}}' ${container}`);

async function service(options: object, check = false): Promise<ModuleRun> {
  return runModule(host, "weave_service", options, { check });
}

/** Runs the module after a check, and again: all three have to agree. Returns what the run said. */
async function settled(options: object): Promise<ModuleRun> {
  const predicted = await service(options, true);
  const made = await service(options);
  assert.not(made["failed"], made.msg);
  assert.equal(subjects(predicted), subjects(made));
  assert.equal(predicted["disruptions"], made["disruptions"]);
  const again = await service(options);
  assert.not(again.changed, JSON.stringify(again.diff));
  return made;
}

async function removed(component = "router"): Promise<void> {
  const { failed, msg } = await service({ component, state: "absent" });
  assert.not(failed, msg);
}

const answers = "for i in $(seq 300); do curl -sf http://127.0.0.1:6784/status && exit; sleep 0.1; done; exit 1";

test("what the router says of itself is returned", async () => {
  const { router } = await service({ peers: [] });
  const { name, version, datapath, connections } = router as Record<string, unknown>;
  assert.is(name, await sh(host, "cat /sys/class/net/weave/address"));
  assert.equal({ version, datapath, connections }, { version: "2.8.1", datapath: "sleeve", connections: [] });
});

test("checksums on the router's port are finished after a boot, and repaired by only that", async () => {
  const offload = (): Promise<string> => sh(host, "ethtool -k vethwe-bridge | grep ^tx-checksumming");
  await host.reboot();
  await sh(host, answers);
  assert.is(await offload(), "tx-checksumming: off");
  await sh(host, "ethtool -K vethwe-bridge tx on");
  assert.equal(subjects(await settled({ state: "started" })), ["vethwe-bridge: TX checksum offload"]);
  assert.is(await offload(), "tx-checksumming: off");
});

test("a change that the router can't take live restarts it, and the plan says so before", async () => {
  const before = await launchedAt();
  const made = await settled({ args: ["--ipalloc-range=10.40.0.0/16"], peers: ["192.168.50.12"] });
  assert.match(
    String(made["disruptions"]),
    /^the router: its restart interrupts traffic between hosts \(with other WEAVE_ARGS/,
  );
  assert.is.not(await launchedAt(), before);
  assert.match(await sh(host, "docker inspect --format '{{.Args}}' weave"), "--ipalloc-range 10.40.0.0/16");
});

test("a router that dies is started again", async () => {
  await sh(host, `docker kill weave; sleep 1; ${answers}`);
  const { changed } = await service({ args: ["--ipalloc-range=10.40.0.0/16"], peers: ["192.168.50.12"] });
  assert.not(changed);
});

test("a list of all hosts, with this one by name and address, is as one of the others", async () => {
  const all = ["apollo1", "192.168.50.12", "192.168.50.11", "apollo1.example.com"];
  for (const peers of [all.slice(0, 3), all.slice(1)]) {
    const made = await service({ args: ["--ipalloc-range=10.40.0.0/16"], peers });
    assert.not(made.changed, JSON.stringify(made.diff));
  }
});

test("a router that comes back with Docker is waited for, and is no change", async () => {
  await sh(host, "systemctl restart docker");
  const { changed, router } = await service({ args: ["--ipalloc-range=10.40.0.0/16"], peers: ["192.168.50.12"] });
  assert.not(changed);
  assert.ok(router);
});

test("restarted restarts it once a run, and a Docker network that has the name of the plugin's stays", async () => {
  await sh(host, "docker network create weave");
  const before = await launchedAt();
  const options = { state: "restarted", args: ["--ipalloc-range=10.40.0.0/16"], peers: ["192.168.50.12"] };
  assert.equal(subjects(await service(options)), ["weave.service: state"]);
  assert.is.not(await launchedAt(), before);
  await sh(host, "docker network inspect weave && docker network rm weave");
});

test("state stopped: it stays stopped when Docker starts again; enabled: it is only started with Docker", async () => {
  const stopped = await settled({ state: "stopped" });
  assert.equal(subjects(stopped), ["weave.service: state", "weave.service: starts with"]);
  await sh(host, "systemctl restart docker");
  assert.is(await sh(host, "docker ps --quiet"), "");
  const enabled = await settled({ state: "enabled" });
  assert.equal(subjects(enabled), ["/etc/weave.env", "weave.service: starts with"]);
  assert.is(await sh(host, "docker ps --quiet"), "");
  await settled({ state: "absent" });
  assert.is(
    await sh(
      host,
      "ls /etc/systemd/system/weave.service /etc/weave.env /etc/systemd/system/docker.service.wants 2>/dev/null || true",
    ),
    "",
  );
  assert.is(await sh(host, "docker ps --all --quiet --filter name='^weave$'"), "");
});

/** What the router 2.8.1 makes by its image's iptables (net/bridge.go, net/iptables.go, net/expose.go) and its script (setup_cni). */
const TRACES = `
for I in "iptables-legacy -w" "iptables-nft -w"; do
  for rule in "-p tcp --dport 6783" "-p udp --dport 6783" "-p udp --dport 6784"; do $I -A INPUT -i weave -d 10.2.0.1 $rule -j DROP; done
  for rule in udp tcp; do $I -C INPUT -i weave -p $rule --dport 53 -j ACCEPT 2>/dev/null || $I -A INPUT -i weave -p $rule --dport 53 -j ACCEPT; done
  $I -A INPUT -p tcp --dst 127.0.0.1 --dport 6784 -m addrtype ! --src-type LOCAL -m conntrack ! --ctstate RELATED,ESTABLISHED \
    -m comment --comment "Block non-local access to Weave Net control port" -j DROP
  $I -N WEAVE-EXPOSE
  $I -A WEAVE-EXPOSE -d 10.2.0.0/16 -j ACCEPT
  $I -I FORWARD -o weave -j WEAVE-EXPOSE
  $I -C FORWARD -i weave -o weave -j ACCEPT 2>/dev/null || $I -I FORWARD -i weave -o weave -j ACCEPT
  for table in mangle nat filter; do $I -t $table -N WEAVE-CANARY; done
  $I -t nat -N WEAVE
  $I -t nat -A POSTROUTING -j WEAVE
  $I -t nat -A WEAVE -s 10.2.0.0/16 ! -d 10.2.0.0/16 -j MASQUERADE
done
mkdir -p /run/weave /opt/cni/bin /etc/cni/net.d
touch /run/weave/weave.sock /opt/cni/bin/weave-plugin-2.8.1
ln -s weave-plugin-2.8.1 /opt/cni/bin/weave-net
ln -s weave-plugin-2.8.1 /opt/cni/bin/weave-ipam
echo '{"plugins": [{"name": "weave", "type": "weave-net"}]}' >/etc/cni/net.d/10-weave.conflist`;
/** Without the counters, and the tables of which nothing but empty chains is left. */
const SAVE =
  "for p in legacy nft; do iptables-$p-save 2>/dev/null | sed '/^#/d; s/ \\[.*//' | grep -e ^- -e '^:.* -$' -e '^[*]'; done; find /opt/cni /etc/cni /run/weave | sort";

test("what a router leaves goes with it: rules of both iptables, CNI files; what others have there stays", async () => {
  await sh(host, "mkdir -p /opt/cni/bin /etc/cni/net.d; touch /opt/cni/bin/bridge /etc/cni/net.d/10-mine.conflist");
  await sh(
    host,
    "iptables-legacy -w -t mangle -L >/dev/null; iptables-legacy -w -t nat -L >/dev/null; iptables-legacy -w -A INPUT -i weave -p icmp -j ACCEPT",
  );
  await sh(host, "iptables-nft -w -t mangle -N OTHER");
  await settled({ state: "absent" });
  const before = await sh(host, SAVE);
  await settled({ peers: [] });
  await sh(host, TRACES);
  const made = await settled({ state: "absent" });
  assert.equal(subjects(made).slice(3, 6), [
    "router: rules of iptables-legacy",
    "router: rules of iptables-nft",
    "router: files",
  ]);
  assert.match(JSON.stringify(made.diff), "nat: -A POSTROUTING -j WEAVE");
  assert.is(await sh(host, SAVE), before.replace(/^\/run\/weave.*\n?/gm, "").trim());
  await sh(host, "iptables-legacy -w -F INPUT; iptables-nft -w -t mangle -X OTHER; rm -r /opt/cni /etc/cni");
  await settled({ peers: [] });
  await sh(host, TRACES);
  await settled({ state: "absent" });
  assert.is(await sh(host, "ls -d /opt/cni /run/weave 2>/dev/null || true; rmdir /etc/cni/net.d /etc/cni"), "");
});

test("a router that hangs can be removed all the same", async () => {
  await settled({ peers: ["192.168.50.12"] });
  await sh(host, "docker pause weave");
  await settled({ state: "absent" });
  assert.is(await sh(host, "docker ps --all --quiet --filter name='^weave$'"), "");
});

const BY_HAND = "WEAVE_NO_FASTDP=1 DOCKER_BRIDGE=weave weave launch --no-dns 192.168.50.99";

test("a router that was launched manually is taken over without a restart", async () => {
  await sh(host, BY_HAND);
  const before = await launchedAt();
  const made = await settled({ peers: ["192.168.50.12"] });
  assert.is(made["disruptions"], undefined);
  assert.equal(subjects(made).slice(3), ["container weave: restart policy", "weave.service: state", "router: peers"]);
  assert.is(await launchedAt(), before);
  assert.is(await sh(host, "systemctl is-active weave"), "active");
});

test("one that was launched with other options is launched again, and the plan says why", async () => {
  await removed();
  await sh(host, BY_HAND);
  const made = await settled({ peers: ["192.168.50.12"], password: "correct-horse" });
  assert.match(String(made["disruptions"]), "(it has another password)");
  assert.is((made["router"] as Record<string, unknown>)["encryption"], true);
});

test("one that was launched manually is stopped for good, and removed", async () => {
  await removed();
  await sh(host, BY_HAND);
  const stopped = await settled({ state: "stopped" });
  assert.equal(subjects(stopped), ["weave.service: state", "container weave: restart policy"]);
  await sh(host, "systemctl restart docker");
  assert.is(await sh(host, "docker ps --quiet"), "");
  assert.equal(subjects(await settled({ state: "absent" })), [
    "container weave",
    "router: rules of iptables-legacy",
    "router: files",
  ]);
});

test("a slow router is waited for", async () => {
  await host.write(`${standInDirectory}/behaviour.json`, '{"startDelayMilliseconds": 3000}');
  await settled({ state: "started" });
  await removed();
});

test("a router that does not start fails the run, with what it logged", async () => {
  await host.write(`${standInDirectory}/behaviour.json`, '{"failOnLaunch": "Inconsistent port settings"}');
  const { failed, msg, ...rest } = await service({ timeout: 20, password: "correct-horse" });
  assert.ok(failed);
  assert.not.match(JSON.stringify([msg, rest]), "correct-horse");
  assert.match(
    msg ?? "",
    /^weave\.service: state: systemctl start weave\.service: must succeed \(found [\s\S]*journalctl .* printed: /,
  );
  assert.match(msg ?? "", "Inconsistent port settings");
  await host.write(`${standInDirectory}/behaviour.json`, "{}");
});

test("what can't be had in time is said, and the next run finishes it", async () => {
  await host.write(`${standInDirectory}/behaviour.json`, '{"startDelayMilliseconds": 6000}');
  const { failed, msg } = await service({ timeout: 3 });
  assert.ok(failed);
  assert.match(msg ?? "", /systemctl start weave\.service: must end within 3 s \(found it running/);
  const made = await service({ state: "started" });
  assert.not(made["failed"], made.msg);
  await host.write(`${standInDirectory}/behaviour.json`, "{}");
  await removed();
});

const unitState = (): Promise<string> => sh(host, "systemctl show weave -p SubState --value");

test("a unit between two tries is stopped for good, and so is what the last try has left", async () => {
  await settled({ peers: [] });
  await host.write(`${standInDirectory}/behaviour.json`, '{"failOnLaunch": "Inconsistent port settings"}');
  await sh(host, "systemctl restart weave || true");
  await sh(
    host,
    "for i in $(seq 100); do [ $(systemctl show weave -p SubState --value) = auto-restart ] && exit; sleep 0.1; done; exit 1",
  );
  await host.write(`${standInDirectory}/behaviour.json`, "{}");
  await sh(host, "docker start weave");
  assert.is(await unitState(), "auto-restart");
  const stopped = await settled({ state: "stopped" });
  assert.equal(subjects(stopped), ["weave.service: state", "weave.service: starts with"]);
  await sh(host, "sleep 6");
  assert.equal([await unitState(), await sh(host, "docker ps --quiet")], ["dead", ""]);
});

test("a unit that is just being started is stopped with its container, by the state that a check has seen", async () => {
  await settled({ peers: [] });
  await settled({ state: "stopped" });
  await host.write(`${standInDirectory}/behaviour.json`, '{"startDelayMilliseconds": 8000}');
  await sh(
    host,
    "systemctl start --no-block weave; for i in $(seq 50); do docker ps --quiet | grep -q . && exit; sleep 0.1; done; exit 1",
  );
  assert.is(await unitState(), "start-pre");
  await settled({ state: "stopped" });
  await host.write(`${standInDirectory}/behaviour.json`, "{}");
  // A start that is cut off has failed, for systemd.
  assert.equal([await unitState(), await sh(host, "docker ps --quiet")], ["failed", ""]);
});

test("with Docker stopped its containers can't be seen: absent fails and changes nothing, stopped warns", async () => {
  await sh(host, "systemctl stop docker.socket docker");
  for (const check of [true, false]) {
    const { failed, changed, msg } = await service({ state: "absent" }, check);
    assert.equal([failed, changed], [true, false]);
    assert.is(
      msg,
      "Docker: must run to show the container weave (found it stopped). Start it (systemctl start docker) and run again.",
    );
  }
  const { failed, warnings } = await service({ state: "stopped" });
  assert.not(failed);
  assert.match(String(warnings), "Run again when Docker runs.");
  await sh(host, "systemctl start docker");
  await settled({ state: "absent" });
  assert.is(await sh(host, "docker ps --all --quiet --filter name='^weave$'"), "");
});

test("a daemon with another pid file is seen as running: containers are found, absent and stopped work", async () => {
  await sh(host, "systemctl stop docker.socket docker; mkdir -p /etc/docker; test ! -e /etc/docker/daemon.json");
  await sh(
    host,
    `echo '{"pidfile": "/run/d2.pid"}' >/etc/docker/daemon.json; systemctl start docker; test ! -e /run/docker.pid`,
  );
  await settled({ peers: ["192.168.50.12"] });
  assert.is((await service({ peers: ["192.168.50.12"] }))["warnings"], undefined);
  await settled({ state: "stopped" });
  await settled({ state: "absent" });
  assert.is(await sh(host, "docker ps --all --quiet --filter name='^weave$'"), "");
  await sh(host, "systemctl stop docker.socket docker; rm /etc/docker/daemon.json; systemctl start docker");
});

test("WEAVE_HTTP_ADDR: the router is asked at that address; its peers, also with ports, change without a restart", async () => {
  const env = { WEAVE_HTTP_ADDR: "127.0.0.2:6790" };
  await settled({ env, peers: ["192.168.50.12"] });
  const before = await launchedAt();
  assert.is(await sh(host, "curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:6784/status || true"), "000");
  const made = await settled({ env, peers: ["192.168.50.12:6783", "192.168.50.13:6790"] });
  assert.equal(subjects(made), ["/etc/weave.env", "router: peers"]);
  assert.is(await launchedAt(), before);
  assert.equal([...((made["router"] as Record<string, string[]>)["targets"] ?? [])].sort(), [
    "192.168.50.12:6783",
    "192.168.50.13:6790",
  ]);
  const moved = await settled({ peers: ["192.168.50.12"] });
  assert.match(String(moved["disruptions"]), "WEAVE_HTTP_ADDR");
  await removed();
});

for (const version of ["1.2.1", "1.4.6"]) {
  test(`a router of ${version} on our bridge is asked at its container's own address`, async () => {
    await installWeaveStandIn(host, { version });
    await settled({ peers: ["192.168.50.12"] });
    // Docker 26 and newer call their default network by its name.
    assert.match(await sh(host, "docker inspect --format '{{.HostConfig.NetworkMode}}' weave"), /^(default|bridge)$/);
    const before = await launchedAt();
    const made = await settled({ peers: ["192.168.50.13"] });
    assert.equal(subjects(made), ["/etc/weave.env", "router: peers"]);
    assert.equal((made["router"] as Record<string, unknown>)["targets"], ["192.168.50.13"]);
    assert.is(await launchedAt(), before);
    await removed();
  });
}

/** Apollo's own unit of 2016, as its role's template renders it for a first host: `expose` would wait for others. */
const APOLLOS_UNIT = `[Unit]
After=docker.service
Requires=docker.service

[Service]
TimeoutStartSec=0
EnvironmentFile=-/etc/weave.%H.env
EnvironmentFile=-/etc/weave.env
Environment=WEAVE_VERSION=1.4.6
ExecStartPre=/usr/local/bin/weave launch-router --no-dns
ExecStart=/usr/bin/docker attach weave
ExecStartPost=/usr/local/bin/weave expose
Restart=on-failure
ExecStop=/usr/local/bin/weave stop-router

[Install]
WantedBy=multi-user.target
`;

/** Its unit of the proxy. */
const APOLLOS_PROXY = `[Unit]
After=weave.service
Requires=weave.service

[Service]
ExecStartPre=/usr/local/bin/weave launch-proxy --rewrite-inspect --without-dns
ExecStart=/usr/bin/docker attach weaveproxy
Restart=on-failure
ExecStop=/usr/local/bin/weave stop-proxy

[Install]
WantedBy=multi-user.target
`;

test("Apollo's units of 2016: router and proxy by an old script, on docker0, with an address for the host", async () => {
  await sh(host, "echo 'DOCKER_OPTS=' >/etc/default/docker; ip link del weave; systemctl restart docker");
  await installWeaveStandIn(host, { version: "1.4.6" });
  await host.write("/etc/systemd/system/weave.service", APOLLOS_UNIT);
  await host.write("/etc/systemd/system/weaveproxy.service", APOLLOS_PROXY);
  await sh(host, `systemctl daemon-reload; systemctl enable --now weave weaveproxy 2>&1; ${answers}`);
  // It was made through the proxy, which gave it a Weave address.
  const throughProxy = "docker --host unix:///var/run/weave/weave.sock run --detach --name app";
  await sh(host, `${throughProxy} ${await busyboxImage(host)} sleep 1d`);
  const ownAddress = "docker exec app ip -o -4 addr show ethwe";
  assert.match(await sh(host, ownAddress), / inet 10\.\d+\.\d+\.\d+\/12 /);
  const before = await launchedAt();
  const proxyBefore = await launchedAt("weaveproxy");
  const name = await sh(host, "cat /sys/class/net/weave/address");
  const taken = await settled({ mode: "proxy", expose: true, peers: ["192.168.50.12"] });
  assert.is(taken["disruptions"], undefined);
  assert.is(await launchedAt(), before, "Apollo's own router goes on");
  assert.match(await host.read("/etc/weave.env"), `--name=${name} --no-dns`);
  const proxy = { component: "proxy", args: ["--rewrite-inspect", "--without-dns"] };
  const takenProxy = await settled(proxy);
  assert.is(takenProxy["disruptions"], undefined);
  assert.is(await sh(host, "ls /etc/systemd/system/multi-user.target.wants | grep weave || true"), "");
  assert.is(await launchedAt("weaveproxy"), proxyBefore, "Apollo's own proxy goes on");
  assert.match(
    await sh(host, "docker inspect --format '{{.Args}}' weaveproxy"),
    "[--rewrite-inspect --without-dns -H unix:",
  );
  assert.is(await sh(host, "docker ps --format '{{.Names}}' | sort | xargs"), "app weave weaveproxy");
  assert.match(await sh(host, ownAddress), " inet ");
  const otherwise = await service({ ...proxy, args: ["--rewrite-inspect", "--no-rewrite-hosts"] }, true);
  assert.match(JSON.stringify(otherwise.diff), "it was launched without --no-rewrite-hosts");
  await sh(host, "docker rm --force app");
  assert.match(await sh(host, "ip -o -4 addr show dev weave"), " inet ");
  assert.is(await sh(host, "systemd-analyze verify weave.service weaveproxy.service 2>&1"), "");
  await sh(
    host,
    "systemctl restart docker; for i in $(seq 100); do systemctl is-active -q weave weaveproxy && exit; sleep 0.1; done; exit 1",
  );
  const plugin = await service({ component: "plugin" }, true);
  assert.not(plugin["failed"], plugin.msg);
  for (const component of ["proxy", "router"]) await removed(component);
});

test("an address waits for enough routers: the run ends well and says how many, and so does a start", async () => {
  await sh(host, "ip link del weave || true");
  await installWeaveStandIn(host);
  const options = { mode: "proxy", expose: true, peers: ["192.168.50.12", "192.168.50.13"] };
  const made = await settled(options);
  assert.ok(made["expose_pending"]);
  assert.match(String(made["warnings"]), "gets its address on the network when 2 of 3 routers are up (found 1)");
  assert.is(await sh(host, "systemctl is-active weave weave-expose | xargs"), "active active");
  await sh(
    host,
    "systemctl restart docker; for i in $(seq 100); do systemctl -q is-active weave-expose && exit; sleep 0.1; done; exit 1",
  );
  // Docker used a bridge of this name in earlier tests, and up to 20.10 gives it that network's address again.
  assert.not.match(await sh(host, "ip -o -4 addr show dev weave"), / inet (?!10\.2\.0\.1\/16 )/);
  const waiting = await service(options);
  assert.not(waiting.changed, JSON.stringify(waiting.diff));
  assert.ok(waiting["expose_pending"]);
  await sh(host, "iptables -C FORWARD -i weave -o weave -m comment --comment weave_service -j ACCEPT");
  await removed();
  const alone = await settled({ mode: "proxy", expose: true, peers: [] });
  assert.not(alone["expose_pending"]);
  assert.match(await sh(host, "ip -o -4 addr show dev weave"), / inet 10\.(?:3[2-9]|4[0-7])\./);
  await removed();
  assert.is(
    await sh(host, "ls /etc/systemd/system | grep weave || true; iptables-save | grep weave_service || true"),
    "",
  );
});

test("the article's script, whose launch starts only the router", async () => {
  await sh(host, "ip link del weave || true");
  await installWeaveStandIn(host, { version: "1.0.3" });
  await settled({ mode: "proxy", peers: ["192.168.50.12"] });
  assert.is(await sh(host, "docker ps --format '{{.Names}}'"), "weave");
  const made = await settled({ mode: "proxy", peers: [] });
  assert.match(String(made["disruptions"]), "(with other WEAVE_PEERS)");
  await removed();
});

test("a component that is within the router since 2.0 is rejected, with the way to have it", async () => {
  await installWeaveStandIn(host);
  const { msg } = await service({ component: "proxy" });
  assert.match(
    msg ?? "",
    /^component: the proxy runs within the router since Weave 2\.0 .* Set component: router with mode: proxy/,
  );
});

test.run();
