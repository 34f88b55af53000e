import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inCgroups } from "./cgroups";
import type { Kernel } from "./kernel";
import { unmountBelow } from "./mounts";
import { hostDirectory, hostId } from "./paths";
import { KERNEL_UNITS, NETWORK_SETTINGS_ONLY } from "./recipe";
import { type Identity, makeRootTree } from "./root_tree";
import { run } from "./run";
import type { Suite } from "./suites";

/** What the file may grow to; only what is written takes space. */
const SIZE = "4G";

/**
 * Makes the disk of a virtual machine and returns its path: the root tree of the other hosts, with the kernel's modules, and without
 * what keeps those hosts from the machine's own kernel.
 */
export async function makeDisk(base: string, suite: Suite, kernel: Kernel, identity: Identity): Promise<string> {
  const { cluster, host } = identity;
  const directory = hostDirectory(cluster, host);
  const [root, disk] = [join(directory, "root"), join(directory, "disk")];
  await makeRootTree(base, identity);
  for (const unit of KERNEL_UNITS) rmSync(join(root, "etc/systemd/system", unit));
  rmSync(join(root, NETWORK_SETTINGS_ONLY));
  // It would start containers with fewer capabilities, where the machine lacks some.
  rmSync(join(root, "usr/local/sbin/runc"), { force: true });
  writeFileSync(join(root, "etc/fstab"), "/dev/vda / ext4 defaults 0 1\n");
  const script = ["sh", join(__dirname, "make_disk.sh"), root, kernel.tree, disk, SIZE];
  await run(inCgroups(hostId(cluster, host), suite, script), { timeoutSeconds: 300, title: "make_disk.sh" });
  await unmountBelow(root);
  return disk;
}
