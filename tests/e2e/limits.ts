import type { Host } from "../hosts/host";
import { busyboxImage } from "../hosts/images";

/** The limits of a container that is given 64 MiB and half a processor: bytes, and microseconds in each tenth of a second. */
export const LIMITS = ["67108864", "50000"];

// The unified hierarchy has them in files of its own, in words that v1 has in others.
const READ = `cd /sys/fs/cgroup
if [ -e memory.max ]; then cat memory.max; cut -d ' ' -f 1 cpu.max
else cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us; fi`;

/** The limits as such a container itself reads them; null on a host whose Docker has no controllers to set them by. */
export async function limitsOf(host: Host): Promise<string[] | null> {
  const can = ["docker", "info", "--format", "{{.MemoryLimit}} {{.CPUCfsQuota}}"];
  if ((await host.exec(can)).stdout.trim() !== "true true") return null;
  const argv = ["docker", "run", "--rm", "--memory", "64m", "--cpus", "0.5", await busyboxImage(host)];
  const { stdout } = await host.exec([...argv, "sh", "-c", READ]);
  return stdout.trim().split("\n");
}
