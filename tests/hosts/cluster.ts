import { mkdirSync } from "node:fs";
import { debianRelease } from "./apt_sources";
import { ensureBase } from "./base";
import { Host } from "./host";
import { ensureKernel, type Kernel } from "./kernel";
import { isMountPoint } from "./mounts";
import { clusterDirectory, hostsDirectory, requireClusterName, underlayName } from "./paths";
import { allowHosts, loadModules, requireMachine } from "./requirements";
import { makeRootTree } from "./root_tree";
import { run } from "./run";
import { onSignals, type SignalHandling } from "./signals";
import { inventoryPath, prepareSsh } from "./ssh";
import { claim, clusterNames, NO_STATE, readState, type State, writeState } from "./state";
import { type Suite, suiteOf } from "./suites";
import { removeState, tearDown } from "./tear_down";
import { makeUnderlay } from "./underlay";
import { VirtualMachine } from "./virtual_machine";

// What a machine of 24 GiB has the memory for.
const MOST_HOSTS = 40;

/** Some test hosts on a separate underlay. They live until `down`, even after the process that made them has ended. */
export class Cluster {
  readonly hosts: Host[];
  /** With other kernels, numbered after the hosts; only the process that made them knows them. */
  readonly virtualMachines: VirtualMachine[];
  /** The path of the Ansible inventory: the group weave_servers with all hosts and how to reach them. */
  readonly inventory: string;
  /** The directory of its state. */
  readonly directory: string;
  /** The name of the network namespace that holds its underlay. */
  readonly underlay: string;

  private goingDown: Promise<void> | null = null;
  private signals: SignalHandling | null = null;

  private constructor(
    readonly name: string,
    count: number,
    readonly suite: Suite,
    virtual = 0,
  ) {
    this.hosts = Array.from({ length: count }, (_, index) => new Host(name, index + 1, suite));
    const numbers = Array.from({ length: virtual }, (_, index) => count + index + 1);
    this.virtualMachines = numbers.map((number) => new VirtualMachine(name, Host.nameOf(number), number, suite));
    this.inventory = inventoryPath(name);
    this.directory = clusterDirectory(name);
    this.underlay = underlayName(name);
  }

  /**
   * Makes a cluster and boots its hosts, of the machine's own Debian release by default, and as many virtual machines beside them as
   * told; returns when SSH and Docker answer on all of them. The tree they boot from is built first if need be. What is left of an
   * earlier cluster of the name is taken down first. Throws when a living process holds that cluster, and when something doesn't come
   * up: then nothing of the new one stays, nor does it when a signal ends the process meanwhile.
   */
  static async up(
    name: string,
    count: number,
    {
      log = () => {},
      suite = suiteOf(debianRelease()),
      virtual = 0,
    }: { log?: (line: string) => void; suite?: Suite; virtual?: number } = {},
  ): Promise<Cluster> {
    requireClusterName(name);
    if (!Number.isInteger(count) || count < 1 || count > MOST_HOSTS) {
      throw new Error(`a cluster has 1 to ${MOST_HOSTS} hosts, not ${count}`);
    }
    requireMachine({ virtual: virtual > 0 });
    const cluster = new Cluster(name, count, suite, virtual);
    const claiming = claim(name, { count, suite, base: null, ready: false }, false);
    let making: Promise<void> | null = null;
    const signals = onSignals(async () => {
      const claimed = await claiming.then(
        () => true,
        () => false,
      );
      if (!claimed) return;
      // First what `making` may wait for, so that it soon fails; then what it made until it did.
      await tearDown(name);
      await making?.catch(() => {});
      await cluster.remove();
    });
    try {
      await claiming;
    } catch (error) {
      signals.remove();
      throw error;
    }
    try {
      await tearDown(name);
      await loadModules();
      // With those of the other clusters; this one is among them.
      allowHosts(clusterNames().reduce((sum, other) => sum + (readState(other)?.count ?? 0), 0));
      const base = await ensureBase(suite, {
        log,
        claim: (path) => cluster.changeState({ base: path }),
      });
      if (signals.ending) throw new Error("interrupted");
      const kernel = virtual > 0 ? await ensureKernel(suite, log) : null;
      if (signals.ending) throw new Error("interrupted");
      making = cluster.make(base, kernel, log);
      await making;
      cluster.changeState({ ready: true });
    } catch (error) {
      // The signal's handler is taking it down and ends the process: the caller has nothing to do any more.
      if (signals.ending) await new Promise(() => {});
      await cluster
        .remove()
        .catch((failure: Error) => log(`what was made of it can't be taken down: ${failure.message}`));
      throw error;
    } finally {
      signals.remove();
    }
    return cluster;
  }

  /** The cluster of this name that is up, or null. */
  static find(name: string): Cluster | null {
    requireClusterName(name);
    const state = readState(name);
    // The tmpfs is gone when the machine itself has been rebooted.
    return state?.ready && isMountPoint(hostsDirectory(name)) ? new Cluster(name, state.count, state.suite) : null;
  }

  /** All clusters that there is anything of, even if it is only what a cut-off `up` or `down` left. */
  static all(): Cluster[] {
    return clusterNames().map((name) => {
      const { count, suite } = readState(name) ?? NO_STATE;
      return new Cluster(name, count, suite);
    });
  }

  /** The host of this name. Throws when there is none. */
  host(name: string): Host {
    const host = this.hosts.find((each) => each.name === name);
    if (!host) {
      throw new Error(`there is no host "${name}": there are ${this.hosts.map((each) => each.name).join(", ")}`);
    }
    return host;
  }

  /**
   * Takes it down, whatever state it is in; nothing of it stays. Throws when a living process other than this one holds
   * it, unless forced.
   */
  down(options: { force?: boolean } = {}): Promise<void> {
    // Whoever else asks meanwhile, such as a `finally` after a signal, waits for the same end.
    this.goingDown ??= this.takeDown(options);
    return this.goingDown;
  }

  /** Takes it down, once, before the process ends by SIGINT, SIGTERM or SIGHUP. */
  tearDownOnSignals(): void {
    this.signals = onSignals(() => {
      process.stderr.write(`Taking the hosts of "${this.name}" down …\n`);
      return this.down();
    });
  }

  private async takeDown(options: { force?: boolean }): Promise<void> {
    await claim(this.name, { ready: false }, options.force === true);
    // A boot under way soon fails without what it boots; then what it made until it did goes too.
    await tearDown(this.name);
    await Promise.all([...this.hosts, ...this.virtualMachines].map((host) => host.settled()));
    await this.remove();
    this.signals?.remove();
  }

  private async make(base: string, kernel: Kernel | null, log: (line: string) => void): Promise<void> {
    const started = Date.now();
    const silence = kernel ? VirtualMachine.silenceSeconds : 10;
    const names = new Map([...this.hosts, ...this.virtualMachines].map(({ number, name }) => [number, name]));
    const directory = hostsDirectory(this.name);
    mkdirSync(directory, { recursive: true });
    await run(["mount", "-t", "tmpfs", "-o", "mode=755,size=80%", "tmpfs", directory]);
    const [{ authorizedKey, hostKeys }] = await Promise.all([
      prepareSsh(this.name, names, silence),
      makeUnderlay(this.name),
    ]);
    const boot = async (host: Host | VirtualMachine): Promise<void> => {
      const hostKey = hostKeys.get(host.number) ?? "";
      const identity = { cluster: this.name, host: host.name, number: host.number, neighbours: names };
      if (host instanceof Host) {
        await makeRootTree(base, { ...identity, authorizedKey, hostKey });
        await host.boot();
      } else if (kernel) {
        await host.boot(base, kernel, { ...identity, authorizedKey, hostKey });
      }
      const failed = await host.failedUnits();
      if (failed.length > 0) log(`${host.name}: failed units: ${failed.join(", ")}`);
      log(`${host.name} is up after ${((Date.now() - started) / 1000).toFixed(1)} s`);
    };
    const boots = [...this.hosts, ...this.virtualMachines].map(boot);
    // To the end of all of them, also when one fails: what is still being made can't be taken down.
    for (const result of await Promise.allSettled(boots)) if (result.status === "rejected") throw result.reason;
  }

  private async remove(): Promise<void> {
    await tearDown(this.name);
    await removeState(this.name);
  }

  private changeState(change: Partial<State>): void {
    const state = readState(this.name);
    if (!state) throw new Error(`the state of the cluster "${this.name}" has gone: someone has taken it down`);
    writeState(this.name, { ...state, ...change });
  }
}
