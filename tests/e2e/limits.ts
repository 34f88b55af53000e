import { busyboxImage } from "../hosts/images";
import type { Machine } from "../hosts/machine";
import type { Output } from "../hosts/run";

/** The limits of a container that is given 64 MiB and half a processor: bytes, and microseconds in each tenth of a second. */
export const LIMITS = ["67108864", "50000"];

// The unified hierarchy has them in other files than v1, in other words.
const READ = `cd /sys/fs/cgroup
if [ -e memory.max ]; then cat memory.max; cut -d ' ' -f 1 cpu.max
else cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us; fi`;

/** The limits as such a container itself reads them; null on a host whose Docker has no controllers to set them by. */
export async function limitsOf(host: Machine): Promise<string[] | null> {
  const can = ["docker", "info", "--format", "{{.MemoryLimit}} {{.CPUCfsQuota}}"];
  if ((await host.exec(can)).stdout.trim() !== "true true") return null;
  return (await runLimited(host, READ)).stdout.trim().split("\n");
}

/** What becomes of two such containers under cgroup v2: one wants ever more memory, the other a whole processor for two seconds. */
export async function exceedLimits(
  host: Machine,
): Promise<{ memory: "ended" | "went on"; processor: "held back" | "free" }> {
  const hog = await runLimited(host, "exec timeout 120 tail /dev/zero");
  const spin = "timeout 2 sh -c 'while :; do :; done'; sed -n 's/^nr_throttled //p' /sys/fs/cgroup/cpu.stat";
  return {
    memory: hog.status === SIGKILLED ? "ended" : "went on",
    processor: Number((await runLimited(host, spin)).stdout) > 0 ? "held back" : "free",
  };
}

const SIGKILLED = 128 + 9;

async function runLimited(host: Machine, script: string): Promise<Output> {
  const argv = ["docker", "run", "--rm", "--memory", "64m", "--cpus", "0.5", await busyboxImage(host)];
  return host.exec([...argv, "sh", "-c", script], { check: false });
}
