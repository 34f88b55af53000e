import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suiteSources } from "./apt_sources";
import { ensureTree } from "./debian_tree";
import { allMounts } from "./mounts";
import { allProcesses } from "./processes";
import { cacheKeyInputs, FILES, MASKED_UNITS, packages, REMOVED_FILES } from "./recipe";
import { basesInUse } from "./state";
import type { Suite } from "./suites";

/**
 * Returns the path of the Debian tree that hosts of a suite boot from, after building it, in about half a minute, when
 * there is none by the present recipe. `claim` is called with the path before any other process may remove the tree; trees
 * of other recipes for the suite are removed unless hosts or programs run in them.
 */
export async function ensureBase(
  suite: Suite,
  { claim, log }: { claim?: (base: string) => void; log?: (line: string) => void } = {},
): Promise<string> {
  return ensureTree(
    {
      kind: `host-${suite}`,
      cacheKeyInputs: cacheKeyInputs(suite),
      suite,
      variant: "minbase",
      packages: packages(suite),
      sources: () => suiteSources(suite),
      adapt,
    },
    { isInUse: (tree) => basesInUse().includes(tree) || isMounted(tree), ...(claim && { claim }), ...(log && { log }) },
  );
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

function adapt(tree: string): void {
  for (const unit of MASKED_UNITS) {
    const path = join(tree, "etc/systemd/system", unit);
    rmSync(path, { force: true });
    symlinkSync("/dev/null", path);
  }
  for (const path of REMOVED_FILES) rmSync(join(tree, path), { force: true });
  for (const [path, content] of Object.entries(FILES)) {
    const file = join(tree, path);
    mkdirSync(dirname(file), { recursive: true });
    // A fresh tree's resolv.conf may be a link, out of the tree even.
    rmSync(file, { force: true });
    writeFileSync(file, content);
  }
}
