import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { debianRelease, debianSources } from "./apt_sources";
import { ensureTree } from "./debian_tree";
import { FILES, ingredients, MASKED_UNITS, PACKAGES, REMOVED_FILES } from "./recipe";

/**
 * Returns the path of the Debian tree that hosts boot from, after building it, in about half a minute, when there is
 * none by the present recipe. `claim` is called with the path before any other process may remove the tree; trees of
 * other recipes are removed unless `inUse` names them.
 */
export async function ensureBase(steps: {
  inUse: () => string[];
  claim: (base: string) => void;
  log: (line: string) => void;
}): Promise<string> {
  const release = debianRelease();
  return ensureTree(
    {
      kind: "base",
      ingredients: ingredients(release),
      suite: release,
      variant: "minbase",
      packages: PACKAGES,
      sources: () => debianSources(release),
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
