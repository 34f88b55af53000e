import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import { waitFor } from "../hosts/wait";
import { installPackages } from "./host_packages";
import { bootHosts } from "./hosts";
import { type ModuleRun, runModule } from "./module";

/** Debian's own firewalld, ufw, nftables and iptables on two hosts, each with a policy of dropping; host 3 is no peer of theirs. */
const test = suite("weave_bridge: firewalls");
let cluster: Cluster;
let one: Host;
let two: Host;
let stranger: Host;

const sh = async (host: Host, script: string, check = true): Promise<string> =>
  (await host.exec(["sh", "-c", script], { check, timeoutSeconds: 120 })).stdout.trim();
const run = (host: Host, more: object = {}, check = false): Promise<ModuleRun> =>
  runModule(
    host,
    "weave_bridge",
    { host_index: host.number, datapath: "vxlan", peers: "192.168.50.11 192.168.50.12", ...more },
    { check },
  );
const reaches = async (from: Host, to: Host): Promise<boolean> =>
  (await from.exec(["ping", "-c", "2", "-W", "1", `10.2.0.${to.number}`], { check: false })).status === 0;
const both = <T>(work: (host: Host) => Promise<T>): Promise<T[]> => Promise.all([one, two].map(work));

/** Whether a container of a host reaches one of the other's. */
async function containersReach(): Promise<boolean> {
  const address = await sh(
    two,
    "docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' server",
  );
  return (await sh(one, `docker exec server ping -c 2 -W 1 ${address} >/dev/null && echo yes`, false)) === "yes";
}

async function runContainers(): Promise<void> {
  await both(async (host) => {
    const subnet = `10.2.${host.number}.0/24`;
    const options = {
      network: "weave",
      bridge: "weave",
      fixed_cidr: subnet,
      bridge_address: `10.2.0.${host.number}/16`,
    };
    const { failed, msg } = await runModule(host, "docker_bridge_opts", { ...options, mtu: 1450 });
    assert.not(failed, msg);
    const image = await busyboxImage(host);
    await sh(
      host,
      `docker rm -f server 2>/dev/null; docker run -d --name server --restart=always --network weave ${image} sleep 9999`,
    );
  });
}

/** From what a firewall drops, to what manage opens, over a reboot, and back. */
async function openAndClose(own: (host: Host) => Promise<string>): Promise<void> {
  const fresh = await both(own);
  const checked = await both((host) => run(host));
  for (const { warnings = [], msg } of checked) {
    assert.is(msg, undefined);
    assert.match(warnings.join("\n"), /^firewall: .* drops UDP port 4789 from 192\.168\.50\.1[12]/m);
    assert.match(warnings.join("\n"), "manage");
  }
  assert.equal(await both(own), fresh, "check changes nothing");
  await run(stranger);
  await runContainers();
  assert.not(await reaches(one, two));
  assert.not(await containersReach());

  const predicted = await both((host) => run(host, { firewall: "manage" }, true));
  const made = await both((host) => run(host, { firewall: "manage" }));
  for (const [index, { seconds: _, ...result }] of made.entries()) {
    const { seconds: __, ...expected } = predicted[index] as ModuleRun;
    assert.equal(result, expected);
  }
  const settled = async (): Promise<void> => {
    for (const result of await both((host) => run(host, { firewall: "manage" })))
      assert.equal([result.msg, result.changes, result.warnings], [undefined, undefined, undefined]);
    assert.ok(await reaches(one, two));
    assert.ok(await containersReach());
    assert.not(await reaches(stranger, one));
    assert.not(await reaches(stranger, two));
  };
  await settled();
  await both((host) => host.reboot());
  await waitFor({ what: "the containers", seconds: 60, probe: containersReach });
  await settled();

  await both((host) => sh(host, "docker rm -f server; docker network rm weave"));
  await both((host) => run(host, { state: "absent" }));
  assert.equal(await both(own), fresh, "absent removes what manage has opened, and nothing else");
}

test.before(async () => {
  cluster = await bootHosts(3);
  [one, two, stranger] = [cluster.host("apollo1"), cluster.host("apollo2"), cluster.host("apollo3")];
  await installPackages([one, two], ["firewalld", "ufw", "nftables"], ["firewalld", "ufw", "nftables"]);
});
test.after(() => cluster.down());

test("firewalld, and ufw on the other host", async () => {
  await sh(one, "systemctl enable --now firewalld && systemctl restart docker");
  await sh(two, "ufw allow 22/tcp && ufw --force enable && systemctl enable ufw && systemctl restart docker");
  const firewalld =
    "firewall-cmd --list-all; firewall-cmd --permanent --list-all; firewall-cmd --permanent --zone=docker --list-all";
  await openAndClose((host) =>
    sh(host, host === one ? firewalld : "ufw status verbose; grep tuple /etc/ufw/user*.rules"),
  );
  await sh(one, "systemctl disable --now firewalld");
  await sh(two, "ufw disable");
});

const NFTABLES = `flush ruleset
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state vmap { established : accept, related : accept, invalid : drop }
    iif "lo" accept
    tcp dport 22 accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
  }
}
`;
// What iptables-persistent does: it loads rules of the operator's before the network is up.
const UNIT = `[Unit]
DefaultDependencies=no
Before=network-pre.target shutdown.target
Wants=network-pre.target
[Service]
Type=oneshot
ExecStart=/usr/sbin/iptables-restore /etc/rules.v4
[Install]
WantedBy=multi-user.target
`;
const RULES = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`;

test("chains of nftables, and iptables on the other host", async () => {
  await one.write("/etc/nftables.conf", NFTABLES);
  await sh(one, "systemctl enable --now nftables && systemctl restart docker");
  await two.write("/etc/rules.v4", RULES);
  await two.write("/etc/systemd/system/rules.service", UNIT);
  await sh(two, "systemctl enable --now rules && systemctl restart docker");
  await openAndClose((host) => sh(host, host === one ? "nft list table inet filter" : "iptables -S INPUT"));
});

test.run();
