import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { differences, fingerprint } from "./fingerprint";
import { downloadPackage } from "./host_packages";
import { bootHosts } from "./hosts";
import { type ModuleRun, runModule } from "./module";
import { underNetworkd } from "./networkd";
import { ROOT } from "./playbook";

/** Hosts on which something else configures the bridge at boot, or reads its files in another way. */
const test = suite("weave_bridge: owners at boot");
let cluster: Cluster;
let networkd: Host;
let ifupdown: Host;
const OPTIONS = { host_index: 1 };

test.before(async () => {
  cluster = await bootHosts(2);
  [networkd, ifupdown] = [cluster.host("apollo1"), cluster.host("apollo2")];
  await underNetworkd(networkd);
});
test.after(() => cluster.down());

/** Runs the module, and fails unless it rejects and changes nothing. */
async function rejected(host: Host, options: object = OPTIONS): Promise<ModuleRun> {
  const before = await fingerprint(host);
  const run = await runModule(host, "weave_bridge", options);
  assert.equal(differences(before, await fingerprint(host)), []);
  assert.is(run.failed, true);
  return run;
}

const OTHERS: Readonly<Record<string, string>> = {
  "/etc/systemd/network/01-all.network": "[Match]\nName=*\n\n[Network]\nDHCP=no\n",
  "/run/systemd/network/04-bridges.network": "[Match]\nKind=bridge\n\n[Network]\nLinkLocalAddressing=no\n",
  "/run/systemd/network/10-netplan-weave.netdev": "[NetDev]\nName=weave\nKind=bridge\n",
  "/etc/systemd/network/05-weave.network.d/mtu.conf": "[Link]\nMTUBytes=1300\n",
};
const LINES: Readonly<Record<string, string>> = {
  "/etc/systemd/network/01-all.network": '"Name=*" in /etc/systemd/network/01-all.network, line 2',
  "/run/systemd/network/04-bridges.network": '"Kind=bridge" in /run/systemd/network/04-bridges.network, line 2',
  "/run/systemd/network/10-netplan-weave.netdev":
    '"Name=weave" in /run/systemd/network/10-netplan-weave.netdev, line 2',
  "/etc/systemd/network/05-weave.network.d/mtu.conf":
    '"MTUBytes=1300" in /etc/systemd/network/05-weave.network.d/mtu.conf, line 2',
};

for (const [path, content] of Object.entries(OTHERS)) {
  test(`systemd-networkd would take ${path}: rejected at once, by name`, async () => {
    await networkd.write(path, content);
    const { msg, seconds } = await rejected(networkd);
    await networkd.exec(["rm", path]);
    assert.is(
      msg,
      `name: only this module may configure weave at boot (found ${LINES[path]}). Remove it there, or set another name.`,
    );
    assert.ok(seconds < 15, `${seconds} s`);
  });
}

test("a file that sorts after this module's does not count, and one that appears later is reported", async () => {
  await networkd.write("/etc/systemd/network/99-all.network", OTHERS["/etc/systemd/network/01-all.network"] ?? "");
  const made = await runModule(networkd, "weave_bridge", OPTIONS);
  assert.equal([made.msg, made["provider"]], [undefined, "networkd"]);
  const again = await runModule(networkd, "weave_bridge", OPTIONS);
  assert.equal([again.msg, again.changed], [undefined, false]);
  await networkd.write("/etc/systemd/network/01-all.network", OTHERS["/etc/systemd/network/01-all.network"] ?? "");
  const later = await runModule(networkd, "weave_bridge", OPTIONS, { check: true });
  assert.match(later.msg ?? "", "/etc/systemd/network/01-all.network, line 2");
  const gone = await runModule(networkd, "weave_bridge", { state: "absent" });
  assert.equal([gone.msg, gone.changed], [undefined, true]);
});

test("with the unit, systemd-networkd is kept off by a file that sorts first; one that sorts before is rejected", async () => {
  const all = OTHERS["/etc/systemd/network/01-all.network"] ?? "";
  const options = { ...OPTIONS, provider: "systemd" };
  await networkd.exec(["rm", "/etc/systemd/network/01-all.network"]);
  await networkd.write("/etc/systemd/network/99-all.network", all);
  const made = await runModule(networkd, "weave_bridge", options);
  assert.equal([made.msg, made["provider"]], [undefined, "systemd"]);
  const { stdout } = await networkd.exec(["sh", "-c", "networkctl list --no-legend weave; ip -br -4 addr show weave"]);
  assert.match(stdout, /unmanaged\s+weave\s.*10\.2\.0\.1\/16/);
  const again = await runModule(networkd, "weave_bridge", options);
  assert.equal([again.msg, again.changed], [undefined, false]);
  await networkd.write("/etc/systemd/network/01-all.network", all);
  assert.match((await rejected(networkd, options)).msg ?? "", "/etc/systemd/network/01-all.network, line 2");
  await networkd.exec(["rm", "/etc/systemd/network/01-all.network"]);
  const dropIn = "/etc/systemd/system/weave-bridge.service.d/other.conf";
  await networkd.write(dropIn, "[Unit]\nAfter=local-fs.target\n\n[Service]\nExecStartPost=/bin/true\n");
  assert.match((await rejected(networkd, options)).msg ?? "", `"ExecStartPost=/bin/true" in ${dropIn}, line 5`);
  await networkd.exec(["rm", "-r", "/etc/systemd/system/weave-bridge.service.d"]);
  // The role keeps the host's number although there is no bridge any more.
  await networkd.exec(["ip", "link", "del", "weave"]);
  await networkd.write("/root/probe.sh", readFileSync(join(ROOT, "roles/weave/files/probe.sh")));
  const probed = await networkd.exec(["sh", "/root/probe.sh", "network=10.2.0.0/16", "prefix=24"]);
  assert.match(probed.stdout, '"host_index": 1, "keeps_host_index": true');
  await runModule(networkd, "weave_bridge", { state: "absent" });
});

test("a profile of NetworkManager for the bridge is rejected by name, once NetworkManager is to start at boot", async () => {
  const path = "/etc/NetworkManager/system-connections/weave.nmconnection";
  await ifupdown.write(path, "[connection]\nid=weave\ntype=bridge\ninterface-name=weave\n", 0o600);
  await ifupdown.exec(["systemctl", "enable", "NetworkManager"]);
  const { msg } = await rejected(ifupdown);
  assert.is(
    msg,
    `name: only this module may configure weave at boot (found "interface-name=weave" in ${path}, line 4). Remove it ` +
      "there, or set another name.",
  );
  await ifupdown.exec(["systemctl", "disable", "NetworkManager"]);
  await ifupdown.exec(["rm", path]);
});

// In place of Debian's ifupdown, as apt would put it. Nothing is started or stopped.
const REPLACE = `set -e
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
dpkg --remove --force-all ifupdown ifupdown2 ifupdown-ng >/dev/null 2>&1
dpkg --unpack --force-all "$1" >/dev/null
[ -e /etc/network/interfaces ] || printf 'auto lo\niface lo inet loopback\n' >/etc/network/interfaces`;

/** Puts a package of the host's Debian suite on it. */
async function install(host: Host, name: string): Promise<void> {
  await host.write("/root/package.deb", await downloadPackage(cluster.suite, name));
  await host.exec(["sh", "-c", REPLACE, "sh", "/root/package.deb"]);
}

for (const name of ["ifupdown2", "ifupdown-ng"]) {
  test(`${name} is not used: systemd is, and it is rejected by name where it is set`, async () => {
    await install(ifupdown, name);
    // From Debian 13 on ifupdown-ng's program is ifup-ng.
    const { stdout: ifup } = await ifupdown.exec(["sh", "-c", "command -v ifup || true"]);
    const found =
      ifup === "" && name === "ifupdown-ng"
        ? "must be installed on this host (found no ifup, or no /etc/network/interfaces). Install it (apt install ifupdown)"
        : `must be Debian's own (found ${name} as this host's ifup, which reads the files in another way). ` +
          "Install Debian's (apt install ifupdown)";
    const { msg } = await rejected(ifupdown, { ...OPTIONS, provider: "ifupdown" });
    assert.is(msg, `provider: ifupdown ${found}, or set provider: systemd.`);
    const made = await runModule(ifupdown, "weave_bridge", OPTIONS);
    assert.equal([made.msg, made["provider"]], [undefined, "systemd"]);
    await runModule(ifupdown, "weave_bridge", { state: "absent" });
  });
}

test("Debian's own ifupdown, brought back, is used", async () => {
  await install(ifupdown, "ifupdown");
  await ifupdown.exec(["dpkg", "--configure", "--force-all", "ifupdown"]);
  const made = await runModule(ifupdown, "weave_bridge", OPTIONS);
  assert.equal([made.msg, made["provider"]], [undefined, "ifupdown"]);
});

test("an ifupdown that will not start at boot is not used", async () => {
  await ifupdown.exec(["systemctl", "mask", "networking"]);
  const check = await runModule(ifupdown, "weave_bridge", OPTIONS, { check: true });
  assert.equal([check.msg, check["provider"]], [undefined, "systemd"]);
  assert.match(
    (await rejected(ifupdown, { ...OPTIONS, provider: "ifupdown" })).msg ?? "",
    "(found networking.service, which is masked)",
  );
});

test.run();
