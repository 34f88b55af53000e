import type { Host } from "./host/host";

/**
 * Why the kernel couldn't load a module when it is needed; null if it has it, could load it, or if that can't be found out. The kernel runs
 * modprobe with an alias, so modprobe is asked for it, which then changes nothing.
 */
export function whyNotLoadable(name: string, alias: string, hasModprobe: boolean, host: Host): string | null {
  if (host.readdir("/sys/module").includes(name)) return null;
  if (host.readText("/proc/modules") === null) return "a kernel that loads no modules";
  if (host.readText("/proc/sys/kernel/modules_disabled") === "1") return "kernel.modules_disabled set to 1";
  // In a container, the machine's modprobe loads it.
  if (!hasModprobe) return null;
  const argv = ["modprobe", "--dry-run", "--verbose", alias];
  const { status, stdout, stderr } = host.run(argv, { mayFail: true });
  const disabled = /^install (?:\/usr)?\/bin\/(?:false|true)\b.*/m.exec(stdout)?.[0];
  if (status === 0 && disabled === undefined) return null;
  return `that ${argv.join(" ")} printed: ${disabled ?? stderr.trim()}`;
}
