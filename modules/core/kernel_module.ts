import type { Host } from "./host/host";

/**
 * Why the kernel couldn't load a module when it is needed; null if it has it, could load it, or if that can't be found out. The kernel runs
 * modprobe with an alias, so modprobe is asked for it, which then changes nothing.
 */
export function whyNotLoadable(name: string, alias: string, programs: ReadonlySet<string>, host: Host): string | null {
  if (host.readdir("/sys/module").includes(name)) return null;
  if (host.readText("/proc/modules") === null) return "a kernel that loads no modules";
  if (host.readText("/proc/sys/kernel/modules_disabled") === "1") return "kernel.modules_disabled set to 1";
  if (!canAskModprobe(programs, host)) return null;
  const argv = ["modprobe", "--dry-run", "--verbose", alias];
  const { status, stdout, stderr } = host.run(argv, { mayFail: true });
  const disabled = /^install (?:\/usr)?\/bin\/(?:false|true)\b.*/m.exec(stdout)?.[0];
  if (status === 0 && disabled === undefined) return null;
  return `that ${argv.join(" ")} printed: ${disabled ?? stderr.trim()}`;
}

/**
 * Whether modprobe can tell what the kernel could load. The kernel runs the machine's modprobe, never a container's. That one
 * finds no modules unless the container's file system has those of this kernel, so without them its answer means nothing.
 */
export function canAskModprobe(programs: ReadonlySet<string>, host: Host): boolean {
  if (!programs.has("modprobe")) return false;
  const isContainer = host.readText("/run/systemd/container") !== null;
  return !isContainer || host.readdir("/lib/modules").includes(host.readText("/proc/sys/kernel/osrelease") ?? "");
}
