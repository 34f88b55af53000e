import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inCgroups } from "./cgroups";
import type { Kernel } from "./kernel";
import { hostDirectory, hostId } from "./paths";
import { findProcess, isAlive } from "./processes";
import { lastLines } from "./run";
import type { Suite } from "./suites";
import { hostMac, inUnderlay } from "./underlay";

const MEMORY = "1G";
const PROCESSORS = "2";

/** What the kernel and systemd are configured to do: call the network card eth0, as the root tree does, and show on the console what fails. */
const COMMAND_LINE = "console=ttyS0 root=/dev/vda rw net.ifnames=0 mitigations=off loglevel=4 systemd.show_status=auto";

/**
 * Starts a virtual machine with a kernel and a disk, plugged in where addTap() has made a port of its name. It ends when
 * the cluster is taken down, and stays when this process ends.
 */
export function startQemu(
  { cluster, host, number }: { cluster: string; host: string; number: number },
  suite: Suite,
  kernel: Kernel,
  disk: string,
): void {
  const directory = hostDirectory(cluster, host);
  const log = openSync(join(directory, "qemu.log"), "w");
  const argv = [
    ...[
      "qemu-system-x86_64",
      "-nodefaults",
      "-no-user-config",
      "-display",
      "none",
      "-machine",
      `q35,accel=${accelerator()}`,
    ],
    ...["-cpu", "max", "-smp", PROCESSORS, "-m", MEMORY, "-serial", `file:${consoleLog(cluster, host)}`],
    ...["-kernel", kernel.image, "-initrd", kernel.initramfs, "-append", COMMAND_LINE],
    ...["-drive", `file=${disk},format=raw,if=virtio,cache=unsafe`],
    ...["-netdev", `tap,id=underlay,ifname=${host},script=no,downscript=no`],
    ...["-device", `virtio-net-pci,netdev=underlay,mac=${hostMac(number)},romfile=`],
  ];
  const [program = "", ...rest] = inUnderlay(cluster, inCgroups(hostId(cluster, host), suite, argv));
  const child = spawn(program, rest, { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  child.on("error", () => {}); // As where it ends at once: isQemuAlive() tells.
  child.unref();
  const found = child.pid === undefined ? null : findProcess(child.pid);
  writeFileSync(join(directory, "qemu"), JSON.stringify(found));
}

/**
 * What runs the machine's instructions: the processor by its own virtualization, or else emulation. A machine may have /dev/kvm by other
 * means, which Debian's kernel does not start with (PVM).
 */
function accelerator(): string {
  const byProcessor = ["kvm_intel", "kvm_amd"].some((name) => existsSync(`/sys/module/${name}`));
  return byProcessor && existsSync("/dev/kvm") ? "kvm:tcg" : "tcg";
}

/** Whether the process that startQemu() started runs. */
export function isQemuAlive(cluster: string, host: string): boolean {
  try {
    const found = JSON.parse(readFileSync(join(hostDirectory(cluster, host), "qemu"), "utf8"));
    return found !== null && isAlive(found);
  } catch {
    return false; // It was never started.
  }
}

/** What QEMU itself printed, and the last lines of the machine's console. */
export function qemuLogs(cluster: string, host: string): string {
  return [join(hostDirectory(cluster, host), "qemu.log"), consoleLog(cluster, host)].map(readLastLines).join("\n");
}

function consoleLog(cluster: string, host: string): string {
  return join(hostDirectory(cluster, host), "console.log");
}

function readLastLines(file: string): string {
  try {
    return lastLines(readFileSync(file, "utf8"), 25);
  } catch {
    return "";
  }
}
