import * as assert from "uvu/assert";
import type { Cluster } from "../hosts/cluster";
import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";
import type { Suite } from "../hosts/suites";
import { waitFor } from "../hosts/wait";
import { installPackages } from "./host_packages";
import { bootHosts } from "./hosts";
import { type ModuleRun, runModule } from "./module";
import { sh } from "./shell";

/** A firewall of a host. */
export interface Firewall {
  readonly turnOn: string;
  /** Prints what is in force and what is kept. */
  readonly show: string;
  /** What an operator does with it. */
  readonly reloads: readonly string[];
  /** Whether the openings are there after a reload; otherwise the next run adds them. */
  readonly keeps: boolean;
  /** Puts a rule before all others that drops what the peers send, and removes it. */
  readonly drop?: readonly [put: string, remove: string];
}

/** Two hosts with firewalls, and a third one that is no peer of theirs. */
export class FirewallHosts {
  private constructor(
    private readonly cluster: Cluster,
    readonly one: Host,
    readonly two: Host,
    readonly stranger: Host,
  ) {}

  static async boot(suite: Suite): Promise<FirewallHosts> {
    const cluster = await bootHosts(3, suite);
    const [one, two, stranger] = [cluster.host("apollo1"), cluster.host("apollo2"), cluster.host("apollo3")];
    const packages = ["firewalld", "ufw", "nftables"];
    await installPackages([one, two], suite, packages, packages);
    return new FirewallHosts(cluster, one, two, stranger);
  }

  down(): Promise<void> {
    return this.cluster.down();
  }

  run(host: Host, more: object = {}, check = false): Promise<ModuleRun> {
    const peers = "192.168.50.11 192.168.50.12";
    const options = { host_index: host.number, datapath: "vxlan", peers, ...more };
    return runModule(host, "weave_bridge", options, { check });
  }

  both<T>(work: (host: Host) => Promise<T>): Promise<T[]> {
    return Promise.all([this.one, this.two].map(work));
  }

  async reaches(from: Host, to: Host): Promise<boolean> {
    return (await from.exec(["ping", "-c", "2", "-W", "1", `10.2.0.${to.number}`], { check: false })).status === 0;
  }

  /** Runs the module to manage both firewalls, which does something, and returns the warnings. */
  async manage(more: object = {}): Promise<string[]> {
    const all = await this.both((host) => this.run(host, { firewall: "manage", ...more }));
    for (const { msg } of all) assert.is(msg, undefined);
    return all.flatMap(({ warnings = [] }) => warnings);
  }

  /** From what the firewalls of both hosts drop, to what manage opens, over reloads and a reboot. Returns what they print when fresh. */
  async open(firewalls: readonly Firewall[]): Promise<readonly string[]> {
    const firewallOf = (host: Host): Firewall => firewalls[host.number - 1] as Firewall;
    const show = (): Promise<string[]> => this.both((host) => sh(host, firewallOf(host).show));
    await this.both((host) => sh(host, `${firewallOf(host).turnOn} && systemctl restart docker`));
    const fresh = await show();
    await this.isNamed();
    assert.equal(await show(), fresh, "check changes nothing");
    await this.run(this.stranger);
    await this.runContainers();
    assert.not(await this.reaches(this.one, this.two));
    assert.not(await this.containersReach());

    const predicted = await this.both((host) => this.run(host, { firewall: "manage" }, true));
    const made = await this.both((host) => this.run(host, { firewall: "manage" }));
    for (const [index, { seconds: _, ...result }] of made.entries()) {
      const { seconds: __, ...expected } = predicted[index] as ModuleRun;
      assert.equal(result, expected);
    }
    await this.isOpen();
    const reload = (index: number): Promise<unknown> =>
      this.both((host) => sh(host, firewallOf(host).reloads[index] ?? "true"));
    for (const index of firewalls[0]?.reloads.keys() ?? []) {
      await reload(index);
      await this.both(async (host) => {
        if (firewallOf(host).keeps) return;
        const { changes = [] } = await this.run(host, { firewall: "manage" });
        assert.ok(changes.length > 0, `${firewallOf(host).reloads[index]} has removed the rules`);
      });
      await waitFor({ what: "the containers", seconds: 20, probe: () => this.containersReach() });
      await this.isOpen();
    }
    await this.isPutFirst(firewallOf);
    // What is gone by then, and what a check leaves, comes back at boot.
    await reload(0);
    await this.both((host) => this.run(host));
    await this.both((host) => host.reboot());
    await waitFor({ what: "the containers", seconds: 60, probe: () => this.containersReach() });
    // The boot's files name the option's value.
    const changes = (await this.both((host) => this.run(host, { firewall: "manage" }))).flatMap((made) => made.changes);
    assert.not.match(changes.join("\n"), "firewall: ");
    await this.isOpen();
    return fresh;
  }

  /** Another rule that drops is named, and what was opened is put before it. */
  private async isPutFirst(firewallOf: (host: Host) => Firewall): Promise<void> {
    await this.both(async (host) => {
      const [put, remove] = firewallOf(host).drop ?? [];
      if (put === undefined || remove === undefined) return;
      await sh(host, put);
      const shown = await sh(host, firewallOf(host).show);
      const { warnings = [] } = await this.run(host);
      assert.is(await sh(host, firewallOf(host).show), shown);
      assert.match(warnings.join("\n"), /^firewall: .* drops UDP port 4789 from 192\.168\.50\.1[12]\)/m);
      const { changes = [] } = await this.run(host, { firewall: "manage" });
      assert.ok(changes.some((change) => change.startsWith("firewall: ")));
    });
    await this.isOpen();
    await this.both((host) => sh(host, firewallOf(host).drop?.[1] ?? "true"));
  }

  /** Each run warns of what is dropped. */
  private async isNamed(): Promise<void> {
    for (const { warnings = [], msg } of await this.both((host) => this.run(host))) {
      assert.is(msg, undefined);
      assert.match(warnings.join("\n"), /^firewall: .* drops UDP port 4789 from 192\.168\.50\.1[12]/m);
      assert.match(warnings.join("\n"), "manage");
    }
  }

  /** Nothing is left to do, the two hosts reach each other, and the third one reaches none. */
  private async isOpen(): Promise<void> {
    for (const result of await this.both((host) => this.run(host, { firewall: "manage" })))
      assert.equal([result.msg, result.changes, result.warnings], [undefined, undefined, undefined]);
    const reached = await Promise.all([
      this.reaches(this.one, this.two),
      this.containersReach(),
      this.reaches(this.stranger, this.one),
      this.reaches(this.stranger, this.two),
    ]);
    assert.equal(reached, [true, true, false, false]);
  }

  async remove(): Promise<void> {
    await this.both((host) => sh(host, "docker rm -f server; docker network rm weave", false));
    await this.both((host) => this.run(host, { state: "absent" }));
  }

  /** Removes the bridge, and with it all that was opened. */
  async close(firewalls: readonly Firewall[], fresh: readonly string[]): Promise<void> {
    await this.remove();
    const shown = await this.both((host) => sh(host, firewalls[host.number - 1]?.show ?? ""));
    assert.equal(shown, fresh, "absent removes what manage has opened, and nothing else");
  }

  private async runContainers(): Promise<void> {
    await this.both(async (host) => {
      const { number } = host;
      const options = { network: "weave", bridge: "weave", fixed_cidr: `10.2.${number}.0/24`, mtu: 1450 };
      const bridge_address = `10.2.0.${number}/16`;
      const { failed, msg } = await runModule(host, "docker_bridge_opts", { ...options, bridge_address });
      assert.not(failed, msg);
      const image = await busyboxImage(host);
      const run = `docker run -d --name server --restart=always --network weave ${image} sleep 9999`;
      await sh(host, `docker rm -f server 2>/dev/null; ${run}`);
    });
  }

  /** Whether a container of a host reaches one of the other's. */
  private async containersReach(): Promise<boolean> {
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    const address = await sh(this.two, `docker inspect --format '${format}' server`);
    const script = `docker exec server ping -c 2 -W 1 ${address} >/dev/null && echo yes`;
    return (await sh(this.one, script, false)) === "yes";
  }
}
