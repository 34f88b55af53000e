import { suite } from "uvu";
import * as assert from "uvu/assert";
import { installWeaveStandIn } from "../stand-ins/weave/install";
import { subjects } from "./command";
import { ANSWERS, bootServiceHost, host, launchedAt, removed, service, settled, takeDown } from "./service_host";
import { sh } from "./shell";

/** weave_service by itself: a router as it is set up, changed and removed. */
const test = suite("weave_service");
test.before(bootServiceHost);
test.after(takeDown);

test("what the router says of itself is returned", async () => {
  const { router } = await service({ peers: [] });
  const { name, version, datapath, connections } = router as Record<string, unknown>;
  assert.is(name, await sh(host, "cat /sys/class/net/weave/address"));
  assert.equal({ version, datapath, connections }, { version: "2.8.1", datapath: "sleeve", connections: [] });
});

test("checksums on the router's port are finished after a boot, and repaired by only that", async () => {
  const offload = (): Promise<string> => sh(host, "ethtool -k vethwe-bridge | grep ^tx-checksumming");
  await host.reboot();
  await sh(host, ANSWERS);
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
  await sh(host, `docker kill weave; sleep 1; ${ANSWERS}`);
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
  assert.equal(subjects(stopped), ["weave.service: state", "weave.service: started by"]);
  await sh(host, "systemctl restart docker");
  assert.is(await sh(host, "docker ps --quiet"), "");
  const enabled = await settled({ state: "enabled" });
  assert.equal(subjects(enabled), ["/etc/weave.env", "weave.service: started by"]);
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
  await sh(
    host,
    "iptables-legacy -w -F INPUT; iptables-nft -w -t mangle -X OTHER; rm -r /opt/cni; rm /etc/cni/net.d/*",
  );
  await settled({ peers: [] });
  await sh(host, TRACES);
  await settled({ state: "absent" });
  // The directory stays: containerd watches it, and on testing it ended when the directory was removed.
  assert.is(await sh(host, "ls -d /opt/cni /run/weave 2>/dev/null || true; ls /etc/cni/net.d"), "");
});

test("a router that hangs can be removed all the same", async () => {
  await settled({ peers: ["192.168.50.12"] });
  await sh(host, "docker pause weave");
  await settled({ state: "absent" });
  assert.is(await sh(host, "docker ps --all --quiet --filter name='^weave$'"), "");
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

test.run();
