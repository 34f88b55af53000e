import { existsSync } from "node:fs";
import { join } from "node:path";
import { bootLog, findInit, launch } from "./boot";
import { removeCgroups } from "./cgroups";
import type { Machine } from "./machine";
import { hostDirectory, hostId } from "./paths";
import { isAlive, type ProcessId, signalProcess } from "./processes";
import { lastLines, type Output, type RunOptions, run } from "./run";
import { dropConnections, ssh } from "./ssh";
import type { Suite } from "./suites";
import { hostAddress, plugHost, unplugHost } from "./underlay";
import { waitFor } from "./wait";

export type { Output } from "./run";

// SIGRTMIN+4, which systemd takes for "power off". Node.js knows no real-time signals by name.
const POWER_OFF = 38;

const ENVIRONMENT = {
  HOME: "/root",
  LANG: "C.UTF-8",
  LOGNAME: "root",
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  SHELL: "/bin/bash",
  USER: "root",
};

/** One test host: a Debian with systemd, Docker and an SSH server, in its own namespaces. */
export class Host implements Machine {
  readonly name: string;
  /** Its address on the cluster's underlay. */
  readonly address: string;
  /** Its root tree as the machine sees it, without what the host itself mounts, such as /run and /tmp. */
  readonly root: string;

  /** The boot that this process is at, which taking the host down has to wait for. */
  private booting: Promise<void> = Promise.resolve();

  constructor(
    private readonly cluster: string,
    readonly number: number,
    private readonly suite: Suite,
  ) {
    this.name = Host.nameOf(number);
    this.address = hostAddress(number);
    this.root = join(hostDirectory(cluster, this.name), "root");
  }

  /** The name of host number N. */
  static nameOf(number: number): string {
    return `apollo${number}`;
  }

  /** Whether it is on, be it only booting. */
  isOn(): boolean {
    return findInit(this.cluster, this.name) !== null;
  }

  /**
   * Runs a program on the host as root, in `/`, with nothing of this process's environment. Throws when the host is off
   * or the program takes too long (60 s by default), and, unless `check` is false, when it fails. A `tracer` is a program
   * of the machine's, with its arguments, that starts the program and traces it.
   */
  async exec(
    argv: readonly string[],
    options: { input?: string; timeoutSeconds?: number; check?: boolean; tracer?: readonly string[] } = {},
  ): Promise<Output> {
    return this.runInside(argv, options);
  }

  /** What to run, and with which environment, for a program to run on the host. Throws when the host is off. */
  command(
    argv: readonly string[],
    tracer: readonly string[] = [],
  ): { argv: string[]; environment: Record<string, string> } {
    const init = findInit(this.cluster, this.name);
    if (init === null) throw new Error(`${this.name} is off: boot it first`);
    const enter = (...namespaces: string[]) => ["nsenter", "--target", String(init.pid), ...namespaces, "--"];
    const others = enter("--mount", "--uts", "--ipc", "--net", "--cgroup", "--root", "--wd");
    return {
      // Whoever traces a process has to know it by the number that it has for itself.
      argv: [...enter("--pid"), ...tracer, ...others, ...argv],
      environment: { ...ENVIRONMENT, TERM: process.env["TERM"] ?? "dumb" },
    };
  }

  /** Writes a file of the host, on or off, and the directories on the way; mode 0644 by default. */
  async write(path: string, content: string | Buffer, mode = 0o644): Promise<void> {
    const script = 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"';
    await this.runOnTree(["sh", "-c", script, "sh", path, mode.toString(8)], {
      input: content,
      title: `writing ${path}`,
    });
  }

  /** The content of a file of the host, on or off. Throws when there is none. */
  async read(path: string): Promise<string> {
    return (await this.runOnTree(["cat", path])).stdout;
  }

  /** Shuts it down in order, as `poweroff` does. Throws when it is not off after a minute and a half. */
  async stop(): Promise<void> {
    const init = findInit(this.cluster, this.name);
    if (init !== null) {
      signalProcess(init.pid, POWER_OFF);
      await this.waitUntilOff(init, 90);
    }
    await this.clear();
  }

  /** Kills every process of the host at once, as a power failure does. */
  async kill(): Promise<void> {
    const init = findInit(this.cluster, this.name);
    if (init !== null) {
      signalProcess(init.pid, "SIGKILL");
      await this.waitUntilOff(init, 20);
    }
    await this.clear();
  }

  /**
   * Switches it on, in a new network namespace, as a computer starts with none of the addresses, interfaces and rules it
   * had. Returns when systemd has finished starting and both Docker and the SSH server answer. Throws when it is on
   * already, and, with the last log lines, when something doesn't come up.
   */
  boot(): Promise<void> {
    this.booting = this.switchOn();
    return this.booting;
  }

  /** Returns when this process is at no boot of the host any more, whatever came of it. */
  async settled(): Promise<void> {
    await this.booting.catch(() => {});
  }

  private async switchOn(): Promise<void> {
    if (this.isOn()) throw new Error(`${this.name} is on already: stop or reboot it`);
    // It may have gone off by itself.
    await this.clear();
    await plugHost(this.cluster, this.name, this.number);
    await launch(this.cluster, this.name, this.suite);
    await this.waitUntilStarted();
    await Promise.all([this.waitForDocker(), this.waitForSsh()]);
  }

  /** Shuts it down in order and boots it again. */
  async reboot(): Promise<void> {
    await this.stop();
    await this.boot();
  }

  /** The names of the units that have failed. */
  async failedUnits(): Promise<string[]> {
    const { stdout } = await this.exec(["systemctl", "list-units", "--failed", "--plain", "--no-legend"]);
    return stdout.split("\n").flatMap((line) => line.split(" ")[0] || []);
  }

  private async waitUntilStarted(): Promise<void> {
    const started = Date.now();
    await waitFor({
      what: `systemd on ${this.name} to answer`,
      seconds: 60,
      everyMilliseconds: 20,
      probe: () => existsSync(`/proc/${this.requireOn().pid}/root/run/systemd/private`),
      diagnose: () => bootLog(this.cluster, this.name),
    });
    await waitFor({
      what: `systemd on ${this.name} to finish starting`,
      seconds: 180 - (Date.now() - started) / 1000,
      probe: async () => {
        const argv = ["systemctl", "is-system-running", "--wait"];
        const { stdout } = await this.runInside(argv, { check: false, timeoutSeconds: 180 });
        return ["running", "degraded"].includes(stdout.trim());
      },
      diagnose: () => this.diagnose(),
    });
  }

  private async waitForDocker(): Promise<void> {
    await waitFor({
      what: `Docker on ${this.name} to answer`,
      seconds: 120,
      probe: async () => {
        const { status } = await this.runInside(["docker", "version"], { check: false, timeoutSeconds: 30 });
        if (status === 0) return true;
        const { stdout } = await this.runInside(["systemctl", "is-active", "docker.service"], { check: false });
        if (["failed", "inactive"].includes(stdout.trim())) {
          throw new Error(`Docker on ${this.name} is ${stdout.trim()}:\n${await this.diagnose("docker.service")}`);
        }
        return false;
      },
      diagnose: () => this.diagnose("docker.service"),
    });
  }

  private async waitForSsh(): Promise<void> {
    let refusal = "";
    await waitFor({
      what: `the SSH server on ${this.name} to answer`,
      seconds: 120,
      probe: async () => {
        this.requireOn();
        const { status, stderr } = await ssh(this.cluster, this.address, "true");
        refusal = stderr;
        return status === 0;
      },
      diagnose: async () => `${lastLines(refusal, 5)}\n${await this.diagnose("ssh.service", "networking.service")}`,
    });
  }

  private requireOn(): ProcessId {
    const init = findInit(this.cluster, this.name);
    if (init === null) throw new Error(`${this.name} went off as it booted:\n${bootLog(this.cluster, this.name)}`);
    return init;
  }

  // What a reader of "timed out" wants to see next.
  private async diagnose(...units: string[]): Promise<string> {
    const commands = [
      ["systemctl", "list-jobs", "--no-pager"],
      ["systemctl", "status", "--no-pager", "--lines=15", ...(units.length > 0 ? units : ["--failed"])],
      ["journalctl", "--no-pager", "--boot", "--lines=15", "--priority=warning"],
    ];
    const outputs = commands.map((argv) =>
      this.runInside(argv, { check: false, timeoutSeconds: 10 }).then(
        ({ stdout, stderr }) => lastLines(stdout + stderr, 40),
        (error: Error) => error.message,
      ),
    );
    return (await Promise.all(outputs)).join("\n");
  }

  private async waitUntilOff(init: ProcessId, seconds: number): Promise<void> {
    await waitFor({
      what: `${this.name} to go off`,
      seconds,
      everyMilliseconds: 20,
      probe: () => !isAlive(init),
      diagnose: () => this.diagnose(),
    });
  }

  // Takes away what a host that is off needs no longer.
  private async clear(): Promise<void> {
    dropConnections(this.cluster, this.address);
    await waitFor({
      what: `the processes of ${this.name} to end`,
      seconds: 10,
      everyMilliseconds: 20,
      probe: () => removeCgroups(hostId(this.cluster, this.name)),
    });
    await unplugHost(this.cluster, this.name);
  }

  private runInside(
    argv: readonly string[],
    { tracer, ...options }: RunOptions & { tracer?: readonly string[] },
  ): Promise<Output> {
    const command = this.command(argv, tracer);
    const title = `${this.name}: ${options.title ?? argv.join(" ")}`;
    return run(command.argv, { ...options, environment: command.environment, title });
  }

  private runOnTree(argv: readonly string[], options: RunOptions = {}): Promise<Output> {
    if (this.isOn()) return this.runInside(argv, options);
    // Not by the machine's own file system calls, which would follow the host's links into the machine's tree.
    return run(["chroot", this.root, ...argv], { ...options, environment: ENVIRONMENT });
  }
}
