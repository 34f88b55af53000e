import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { suiteSources } from "./apt_sources";
import { ensureTree } from "./debian_tree";
import { allProcesses, commandOf } from "./processes";
import { run } from "./run";
import type { Suite } from "./suites";

/** Debian's own kernel, as a virtual machine boots it. */
export interface Kernel {
  /** The tree that Debian's packages of it are unpacked in. */
  readonly tree: string;
  /** Such as 6.1.0-57-amd64. */
  readonly release: string;
  /** The kernel's file. */
  readonly image: string;
  /** What the kernel unpacks first, which loads the modules that the disk needs. */
  readonly initramfs: string;
}

/** The meta package of the newest kernel, what loads its modules, and the program of the initramfs. */
const PACKAGES = ["linux-image-amd64", "kmod", "busybox-static"];
/** The modules that stay, of 400 MB: of the network, and what a virtual machine has. The others' devices it does not have. */
const MODULES = [
  ...["net", "lib", "crypto", "arch/x86/crypto", "drivers/virtio", "drivers/block/virtio_blk.ko"],
  ...["autofs", "binfmt_misc.ko", "configfs", "ext4", "fuse", "jbd2", "mbcache.ko", "overlayfs"].map(
    (name) => `fs/${name}`,
  ),
  ...["dummy", "macvlan", "net_failover", "tun", "veth", "virtio_net"].map((name) => `drivers/net/${name}.ko`),
  ...["vxlan", "wireguard"].map((name) => `drivers/net/${name}`),
];
/** What the root file system's disk needs; in Debian's kernel, they are modules. */
const DISK_MODULES = ["virtio_pci", "virtio_blk", "ext4"];
// To be raised when the way from the packages to the tree changes.
const VERSION = 1;

const INITRAMFS = "boot/initramfs";
// Debian's own initramfs is 35 MB, which an emulated processor takes long to unpack.
const INIT = `#!/bin/busybox sh
busybox mount -t devtmpfs dev /dev
for module in NAMES; do busybox insmod /$module; done
until [ -b /dev/vda ]; do busybox sleep 0.1; done
busybox mount -t ext4 /dev/vda /root
busybox mount --move /dev /root/dev
exec busybox switch_root /root /sbin/init
`;

/** Returns Debian's kernel of a suite. The first time, its packages are downloaded and unpacked, in about 20 seconds. */
export async function ensureKernel(suite: Suite, log: (line: string) => void): Promise<Kernel> {
  const tree = await ensureTree(
    {
      kind: `kernel-${suite}`,
      cacheKeyInputs: [VERSION, suite, PACKAGES, MODULES, DISK_MODULES, INIT],
      suite,
      // Unpacked, and not installed: no script of theirs is run.
      variant: "extract",
      packages: PACKAGES,
      sources: () => suiteSources(suite),
      adapt,
    },
    { isInUse: isBooted, log },
  );
  const release = releaseOf(tree);
  return { tree, release, image: join(tree, `boot/vmlinuz-${release}`), initramfs: join(tree, INITRAMFS) };
}

/** Whether a virtual machine has been started with a tree's kernel. */
function isBooted(tree: string): boolean {
  return allProcesses().some((pid) => commandOf(pid).some((word) => word.startsWith(`${tree}/`)));
}

function releaseOf(tree: string): string {
  const [name, ...others] = readdirSync(join(tree, "lib/modules"));
  if (name === undefined || others.length > 0) throw new Error(`${tree} must have one kernel`);
  return name;
}

async function adapt(tree: string): Promise<void> {
  const release = releaseOf(tree);
  const modulesOf = (directory: string): string => join(tree, "lib/modules", release, directory);
  renameSync(modulesOf("kernel"), modulesOf("all"));
  for (const name of MODULES) {
    mkdirSync(dirname(modulesOf(`kernel/${name}`)), { recursive: true });
    renameSync(modulesOf(`all/${name}`), modulesOf(`kernel/${name}`));
  }
  rmSync(modulesOf("all"), { recursive: true });
  const inTree = (...argv: string[]) => run(["chroot", tree, ...argv]);
  await inTree("depmod", release);
  const { stdout } = await inTree("modprobe", "--set-version", release, "--show-depends", "--all", ...DISK_MODULES);
  const modules = [...new Set([...stdout.matchAll(/^insmod (\S+)/gm)].map(([, path = ""]) => path))];
  await makeInitramfs(tree, modules);
}

/** By the tree's own cpio, which the kernel's package depends on. */
async function makeInitramfs(tree: string, modules: readonly string[]): Promise<void> {
  const directory = join(tree, "initramfs");
  for (const name of ["bin", "dev", "root"]) mkdirSync(join(directory, name), { recursive: true });
  copyFileSync(join(tree, "bin/busybox"), join(directory, "bin/busybox"));
  const names = modules.map((path) => basename(path));
  for (const path of modules) copyFileSync(join(tree, path), join(directory, basename(path)));
  writeFileSync(join(directory, "init"), INIT.replace("NAMES", names.join(" ")), { mode: 0o755 });
  const input = `${["bin", "bin/busybox", "dev", "root", "init", ...names].join("\n")}\n`;
  const cpio = ["cpio", "--quiet", "--create", "--format=newc", "--directory=/initramfs", `--file=/${INITRAMFS}`];
  await run(["chroot", tree, ...cpio], { input });
  rmSync(directory, { recursive: true });
}
