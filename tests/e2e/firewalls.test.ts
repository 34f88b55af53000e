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

/** A firewall of a host. */
interface Firewall {
  readonly turnOn: string;
  /** Prints what is in force and what is kept. */
  readonly show: string;
  /** What an operator does with it. */
  readonly reloads: readonly string[];
  /** Whether the openings are there after a reload; otherwise the next run adds them. */
  readonly keeps: boolean;
}

/** From what the firewalls of both hosts drop, to what manage opens, over reloads and a reboot. Returns what they print when fresh. */
async function open(firewalls: readonly Firewall[]): Promise<readonly string[]> {
  const firewallOf = (host: Host): Firewall => firewalls[host.number - 1] as Firewall;
  const show = (): Promise<string[]> => both((host) => sh(host, firewallOf(host).show));
  await both((host) => sh(host, `${firewallOf(host).turnOn} && systemctl restart docker`));
  const fresh = await show();
  for (const { warnings = [], msg } of await both((host) => run(host))) {
    assert.is(msg, undefined);
    assert.match(warnings.join("\n"), /^firewall: .* drops UDP port 4789 from 192\.168\.50\.1[12]/m);
    assert.match(warnings.join("\n"), "manage");
  }
  assert.equal(await show(), fresh, "check changes nothing");
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
  await isOpen();
  for (const index of firewalls[0]?.reloads.keys() ?? []) {
    await both((host) => sh(host, firewallOf(host).reloads[index] ?? "true"));
    await both(async (host) => {
      if (firewallOf(host).keeps) return;
      const { changes = [] } = await run(host, { firewall: "manage" });
      assert.ok(changes.length > 0, `${firewallOf(host).reloads[index]} has removed the rules`);
    });
    await waitFor({ what: "the containers", seconds: 20, probe: containersReach });
    await isOpen();
  }
  await both((host) => host.reboot());
  await waitFor({ what: "the containers", seconds: 60, probe: containersReach });
  await isOpen();
  return fresh;
}

/** Nothing is left to do, the two hosts reach each other, and the third one reaches none. */
async function isOpen(): Promise<void> {
  for (const result of await both((host) => run(host, { firewall: "manage" })))
    assert.equal([result.msg, result.changes, result.warnings], [undefined, undefined, undefined]);
  const reached = await Promise.all([
    reaches(one, two),
    containersReach(),
    reaches(stranger, one),
    reaches(stranger, two),
  ]);
  assert.equal(reached, [true, true, false, false]);
}

/** Removes the bridge, and with it all that was opened. */
async function close(firewalls: readonly Firewall[], fresh: readonly string[]): Promise<void> {
  await both((host) => sh(host, "docker rm -f server; docker network rm weave"));
  await both((host) => run(host, { state: "absent" }));
  const shown = await both((host) => sh(host, firewalls[host.number - 1]?.show ?? ""));
  assert.equal(shown, fresh, "absent removes what manage has opened, and nothing else");
}

test.before(async () => {
  cluster = await bootHosts(3);
  [one, two, stranger] = [cluster.host("apollo1"), cluster.host("apollo2"), cluster.host("apollo3")];
  await installPackages([one, two], ["firewalld", "ufw", "nftables"], ["firewalld", "ufw", "nftables"]);
});
test.after(() => cluster.down());

const FIREWALLD: Firewall = {
  turnOn: "systemctl enable --now firewalld",
  show: "firewall-cmd --list-all; firewall-cmd --permanent --list-all-zones; firewall-cmd --permanent --direct --get-all-rules",
  reloads: ["firewall-cmd --reload", "firewall-cmd --complete-reload", "systemctl restart firewalld"],
  keeps: true,
};
const UFW: Firewall = {
  turnOn: "ufw allow 22/tcp && ufw --force enable && systemctl enable ufw",
  show: "ufw status verbose; grep tuple /etc/ufw/user*.rules",
  reloads: ["ufw reload", "systemctl restart ufw"],
  keeps: true,
};

test("firewalld, and ufw on the other host", async () => {
  const firewalls = [FIREWALLD, UFW];
  await close(firewalls, await open(firewalls));
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

const NFT: Firewall = {
  turnOn: "systemctl enable --now nftables",
  show: "nft list table inet filter",
  reloads: ["systemctl reload nftables"],
  keeps: false,
};
const IPTABLES: Firewall = {
  turnOn: "systemctl enable --now rules",
  show: "iptables -S INPUT",
  reloads: ["systemctl restart rules"],
  keeps: false,
};

/** Whether what listens at the router's port of a host gets a connection from another one. */
const reachesRouter = async (from: Host, to: Host): Promise<boolean> => {
  const url = `http://192.168.50.${10 + to.number}:6783/`;
  return (
    (await from.exec(["curl", "--silent", "--max-time", "2", "--output", "/dev/null", url], { check: false }))
      .status === 0
  );
};

test("chains of nftables, and iptables on the other host; then the router's port", async () => {
  await one.write("/etc/nftables.conf", NFTABLES);
  await two.write("/etc/rules.v4", RULES);
  await two.write("/etc/systemd/system/rules.service", UNIT);
  const firewalls = [NFT, IPTABLES];
  const fresh = await open(firewalls);

  await both((host) => sh(host, "systemd-run --quiet --unit=listener python3 -m http.server 6783"));
  await waitFor({ what: "the listener", seconds: 20, probe: () => reachesRouter(two, two) });
  assert.not(await reachesRouter(one, two));
  // The containers' network has this MTU.
  const routed = await both((host) => run(host, { datapath: "router", mtu: 1450, firewall: "manage" }));
  assert.equal(
    routed.map(({ msg }) => msg),
    [undefined, undefined],
  );
  const reached = [
    reachesRouter(one, two),
    reachesRouter(two, one),
    reachesRouter(stranger, one),
    reachesRouter(stranger, two),
  ];
  assert.equal(await Promise.all(reached), [true, true, false, false]);
  await close(firewalls, fresh);
});

test.run();
