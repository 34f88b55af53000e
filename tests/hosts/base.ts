import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { debianRelease, debianSources, suiteSources } from "./apt_sources";
import { ensureTree } from "./debian_tree";
import { FILES, ingredients, MASKED_UNITS, packages, REMOVED_FILES } from "./recipe";
import type { Suite } from "./suites";

/**
 * Returns the path of the Debian tree that hosts of a suite boot from, after building it, in about half a minute, when
 * there is none by the present recipe. `claim` is called with the path before any other process may remove the tree; trees
 * of other recipes for the suite are removed unless `inUse` names them.
 */
export async function ensureBase(
  suite: Suite,
  steps: { inUse: () => string[]; claim: (base: string) => void; log: (line: string) => void },
): Promise<string> {
  const release = debianRelease();
  return ensureTree(
    {
      kind: `host-${suite}`,
      ingredients: ingredients(suite),
      suite,
      variant: "minbase",
      packages: packages(suite),
      // Of the machine's own release the updates as well.
      sources: () => (suite === release ? debianSources(release) : suiteSources(release, suite)),
      adapt,
    },
    { isInUse: (tree) => steps.inUse().includes(tree), claim: steps.claim, log: steps.log },
  );
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
