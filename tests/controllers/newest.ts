import { join } from "node:path";
import { debianRelease, suiteSources } from "../hosts/apt_sources";
import { ensureTree, type Recipe } from "../hosts/debian_tree";
import { allMounts } from "../hosts/mounts";
import { allProcesses } from "../hosts/processes";

// Where Debian's newest ansible-core is. Unstable has it some days earlier, but now and then can't be installed.
const SUITE = "testing";

const PACKAGES = [
  "ansible-core",
  // How it reaches test hosts. The client wants systemd's programs that make users: by themselves, without systemd.
  ...["openssh-client", "systemd-standalone-sysusers", "netcat-openbsd", "iproute2"],
  // enter.sh leaves the machine's root by its umount.
  "mount",
];

const RECIPE: Recipe = {
  kind: "ansible",
  ingredients: [SUITE, PACKAGES],
  suite: SUITE,
  variant: "essential",
  packages: PACKAGES,
  sources: () => suiteSources(debianRelease(), SUITE),
};

/**
 * Returns the argument vector that runs a program where Debian's newest ansible-core is installed, in this process's
 * working directory, and has these directories of the machine there, by the same paths. What it writes elsewhere is gone
 * when it ends. The tree with that ansible-core is built first if need be.
 */
export async function withNewestAnsible(argv: readonly string[], directories: readonly string[]): Promise<string[]> {
  const tree = await ensureTree(RECIPE, { isInUse: isMounted });
  const enter = ["/bin/sh", join(__dirname, "enter.sh"), tree, ...directories, "--"];
  // What the machine unmounts is unmounted there too; nothing comes back.
  return ["unshare", "--mount", "--propagation", "slave", "--", ...enter, ...argv];
}

/** Whether some program runs in a tree: it has it mounted, in a namespace of its own. */
function isMounted(tree: string): boolean {
  return allProcesses().some((pid) => {
    try {
      return allMounts(pid).some(({ superOptions }) => superOptions.includes(`lowerdir=${tree}`));
    } catch {
      return false; // It has just ended.
    }
  });
}
