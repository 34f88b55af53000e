import { suite } from "uvu";
import * as assert from "uvu/assert";
import { debianRelease } from "../hosts/apt_sources";
import type { Host } from "../hosts/host";
import { SUITES, type Suite, suiteOf } from "../hosts/suites";
import { waitFor } from "../hosts/wait";
import { ALL } from "../runner/sample";
import { type Firewall, FirewallHosts } from "./firewall_hosts";
import { sh } from "./shell";

/** Debian's own firewalld, ufw, nftables and iptables on two hosts, each with a policy of dropping. */

const FIREWALLD: Firewall = {
  // systemd does not wait until 2.5.2 answers.
  turnOn:
    "systemctl enable --now firewalld && timeout 30 sh -c 'until firewall-cmd --state >/dev/null 2>&1; do sleep 0.2; done'",
  show: "firewall-cmd --list-all; firewall-cmd --permanent --list-all-zones; firewall-cmd --permanent --direct --get-all-rules",
  reloads: ["firewall-cmd --reload", "firewall-cmd --complete-reload", "systemctl restart firewalld"],
  keeps: true,
};
const UFW: Firewall = {
  turnOn: "ufw allow 22/tcp && ufw --force enable && systemctl enable ufw",
  show: "ufw status verbose; grep tuple /etc/ufw/user*.rules",
  reloads: ["ufw reload", "systemctl restart ufw"],
  keeps: true,
  drop: ["ufw prepend deny 4789/udp", "ufw delete deny 4789/udp"],
};

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

const NFT: Firewall = {
  turnOn: "systemctl enable --now nftables",
  show: "nft list table inet filter",
  reloads: ["systemctl reload nftables"],
  keeps: false,
  // The reload removes it.
  drop: ["nft insert rule inet filter input udp dport 4789 drop", "true"],
};
const IPTABLES: Firewall = {
  turnOn: "systemctl enable --now rules",
  show: "iptables -S INPUT",
  reloads: ["systemctl restart rules"],
  keeps: false,
  drop: ["iptables -I INPUT -p udp --dport 4789 -j DROP", "iptables -D INPUT -p udp --dport 4789 -j DROP"],
};

function testFirewalls(debian: Suite): void {
  const test = suite(`weave_bridge: firewalls of Debian ${debian}`);
  let hosts: FirewallHosts;
  test.before(async () => {
    hosts = await FirewallHosts.boot(debian);
  });
  test.after(() => hosts?.down());

  test("firewalld, and ufw on the other host; encrypted, too", async () => {
    const firewalls = [FIREWALLD, UFW];
    const fresh = await hosts.open(firewalls);
    await hosts.close(firewalls, fresh);

    const { one, two, stranger } = hosts;
    const setIpv6 = (value: string): Promise<string> =>
      sh(two, `sed -i s/^IPV6=.*/IPV6=${value}/ /etc/default/ufw && ufw reload`);
    const password = { password: "a password of the tests" };
    await setIpv6("no");
    assert.match((await hosts.manage(password)).join(), /drops UDP port 4789 from fe80::\/64\)\. Set IPV6=yes/);
    assert.not(await hosts.reaches(one, two));
    await setIpv6("yes");
    await hosts.manage(password);
    assert.equal(await hosts.manage(password), []);
    await hosts.run(stranger, password);
    await waitFor({ what: "the other host", seconds: 20, probe: () => hosts.reaches(one, two) });
    assert.equal(await Promise.all([hosts.reaches(stranger, one), hosts.reaches(stranger, two)]), [false, false]);
    await hosts.remove();
    assert.is(await sh(one, FIREWALLD.show), fresh[0]);
    assert.not.match(await sh(two, UFW.show), "weave");
    await sh(one, "systemctl disable --now firewalld");
    await sh(two, "ufw disable");
  });

  /** Whether what listens at the router's port of a host gets a connection from another one. */
  const reachesRouter = async (from: Host, to: Host): Promise<boolean> => {
    const url = `http://192.168.50.${10 + to.number}:6783/`;
    const argv = ["curl", "--silent", "--max-time", "2", "--output", "/dev/null", url];
    return (await from.exec(argv, { check: false })).status === 0;
  };

  test("chains of nftables, and iptables on the other host; then the router's port", async () => {
    const { one, two, stranger } = hosts;
    await one.write("/etc/nftables.conf", NFTABLES);
    await two.write("/etc/rules.v4", RULES);
    await two.write("/etc/systemd/system/rules.service", UNIT);
    const firewalls = [NFT, IPTABLES];
    const fresh = await hosts.open(firewalls);

    await hosts.both((host) => sh(host, "systemd-run --quiet --unit=listener python3 -m http.server 6783"));
    await waitFor({ what: "the listener", seconds: 20, probe: () => reachesRouter(two, two) });
    assert.not(await reachesRouter(one, two));
    // The containers' network has this MTU.
    await hosts.manage({ datapath: "router", mtu: 1450 });
    const reached = [
      reachesRouter(one, two),
      reachesRouter(two, one),
      reachesRouter(stranger, one),
      reachesRouter(stranger, two),
    ];
    assert.equal(await Promise.all(reached), [true, true, false, false]);
    await hosts.close(firewalls, fresh);
  });

  test.run();
}

for (const debian of ALL ? SUITES : [suiteOf(process.env["TEST_SUITE"] ?? debianRelease())]) testFirewalls(debian);
