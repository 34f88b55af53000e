import { makeDisk } from "./disk";
import type { Kernel } from "./kernel";
import type { Machine } from "./machine";
import { isQemuAlive, qemuLogs, startQemu } from "./qemu";
import type { Identity } from "./root_tree";
import type { Output, RunOptions } from "./run";
import { dropConnections, ssh } from "./ssh";
import type { Suite } from "./suites";
import { addTap, hostAddress } from "./underlay";
import { waitFor } from "./wait";

/** How many times as long as another host it may take: its processor may be emulated, by half of a busy one. */
const SLOWNESS = 5;
const BOOT_SECONDS = 600;

/**
 * A test host with Debian's kernel, under QEMU: with the same root tree, on the same underlay and reached by SSH
 * like the others. Where the machine has no KVM, its processor is emulated.
 */
export class VirtualMachine implements Machine {
  /** For how long it may give no sign of life on a busy machine. */
  static readonly silenceSeconds = 120;
  readonly address: string;
  /** The boot that this process is at, which taking the cluster down has to wait for. */
  private booting: Promise<void> = Promise.resolve();

  constructor(
    private readonly cluster: string,
    readonly name: string,
    readonly number: number,
    private readonly suite: Suite,
  ) {
    this.address = hostAddress(number);
  }

  /**
   * Makes its disk of the other hosts' base and switches it on. Returns when systemd, and so Docker, has finished starting. Throws, with
   * the last lines of its console, when it does not come up.
   */
  boot(base: string, kernel: Kernel, identity: Identity): Promise<void> {
    this.booting = this.switchOn(base, kernel, identity);
    return this.booting;
  }

  /** Returns when this process is at no boot of it any more, whatever came of it. */
  async settled(): Promise<void> {
    await this.booting.catch(() => {});
  }

  /** Runs a program on it by SSH as root, in `/`. A limit of time is for a host that is not emulated. */
  async exec(argv: readonly string[], { timeoutSeconds = 60, ...options }: RunOptions = {}): Promise<Output> {
    const command = `cd / && LANG=C.UTF-8 ${argv.map(quoted).join(" ")}`;
    const title = `${this.name}: ${argv.join(" ")}`;
    const limits = { timeoutSeconds: timeoutSeconds * SLOWNESS, title, keep: true };
    return ssh(this.cluster, this.address, command, { check: true, ...options, ...limits });
  }

  async read(path: string): Promise<string> {
    return (await this.exec(["cat", path])).stdout;
  }

  /** The names of the units that have failed. */
  async failedUnits(): Promise<string[]> {
    const { stdout } = await this.exec(["systemctl", "list-units", "--failed", "--plain", "--no-legend"]);
    return stdout.split("\n").flatMap((line) => line.split(" ")[0] || []);
  }

  /** Has it reboot itself, as `reboot` does, and returns when it has finished starting again. */
  async reboot(): Promise<void> {
    const before = await this.bootId();
    await this.exec(["systemctl", "reboot"], { check: false });
    await this.waitUntilStarted(before);
  }

  private async switchOn(base: string, kernel: Kernel, identity: Identity): Promise<void> {
    const disk = await makeDisk(base, this.suite, kernel, identity);
    await addTap(this.cluster, this.name);
    startQemu({ cluster: this.cluster, host: this.name, number: this.number }, this.suite, kernel, disk);
    await this.waitUntilStarted(null);
  }

  /** Waits for a boot other than the previous one. */
  private async waitUntilStarted(previous: string | null): Promise<void> {
    let answer = "";
    await waitFor({
      what: `${this.name} to finish starting`,
      seconds: BOOT_SECONDS,
      everyMilliseconds: 500,
      probe: async () => {
        if (!isQemuAlive(this.cluster, this.name)) {
          throw new Error(`${this.name} went off as it booted:\n${qemuLogs(this.cluster, this.name)}`);
        }
        // A connection to the boot before would wait for it for long.
        dropConnections(this.cluster, this.address);
        const boot = await this.bootId().catch((error: Error) => {
          answer = error.message;
          return previous;
        });
        if (boot === previous) return false;
        const limits = { check: false, timeoutSeconds: BOOT_SECONDS };
        const { stdout, stderr } = await this.exec(["systemctl", "is-system-running", "--wait"], limits);
        answer = stdout + stderr;
        return ["running", "degraded"].includes(stdout.trim());
      },
      diagnose: () => `${answer}\n${qemuLogs(this.cluster, this.name)}`,
    });
  }

  private async bootId(): Promise<string> {
    return (await this.exec(["cat", "/proc/sys/kernel/random/boot_id"], { timeoutSeconds: 15 })).stdout;
  }
}

/** A word as the shell of SSH's other end takes it. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
