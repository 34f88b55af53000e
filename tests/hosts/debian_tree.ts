import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { aptSettings } from "./apt_sources";
import { withLock } from "./lock";
import { CACHE } from "./paths";
import { run } from "./run";

const BUILD_SECONDS = 900;

/** How a Debian tree is made. */
export interface Recipe {
  /** What the tree is for, as one word: a tree replaces those of other recipes for the same thing. */
  kind: string;
  /** All that decides what is in the tree: with others it gets another name, and so is built again. */
  cacheKeyInputs: readonly unknown[];
  suite: string;
  /**
   * What mmdebstrap installs beside the packages: Debian's essential ones, or those with apt and some more. With `extract`, the packages
   * and what they depend on are unpacked, and none is installed.
   */
  variant: "essential" | "minbase" | "extract";
  packages: readonly string[];
  /** The sources of the packages, as lines of a sources.list. */
  sources: () => Promise<string>;
  /** Changes the fresh tree at this path. */
  adapt?: (tree: string) => void | Promise<void>;
}

/**
 * Returns the path of the tree of a recipe, after building it, in about a minute, when there is none. `claim` is
 * called with the path before any other process may remove the tree; trees of other recipes of the kind are removed
 * unless `isInUse` says yes to them.
 */
export async function ensureTree(
  recipe: Recipe,
  steps: {
    isInUse: (tree: string) => boolean;
    claim?: (tree: string) => void;
    log?: (line: string) => void;
  },
): Promise<string> {
  const { kind } = recipe;
  return withLock(kind, BUILD_SECONDS, async () => {
    const tree = join(CACHE, treeName(recipe));
    for (const name of readdirSync(CACHE)) {
      const path = join(CACHE, name);
      if (name.startsWith(`${kind}-`) && path !== tree && !steps.isInUse(path)) await removeTree(path);
    }
    if (!existsSync(tree)) {
      const started = Date.now();
      steps.log?.(`building a Debian ${recipe.suite} tree, once, in ${tree}`);
      await build(recipe, tree);
      steps.log?.(`built in ${Math.round((Date.now() - started) / 1000)} s`);
    }
    steps.claim?.(tree);
    return tree;
  });
}

function treeName({ kind, cacheKeyInputs }: Recipe): string {
  return `${kind}-${createHash("sha256").update(JSON.stringify(cacheKeyInputs)).digest("hex").slice(0, 12)}`;
}

async function build(recipe: Recipe, tree: string): Promise<void> {
  // A build that was cut off leaves these behind; the loop above takes them for an old tree and removes them.
  const [temporary, configuration] = [`${tree}.partial`, `${tree}.apt`];
  mkdirSync(configuration, { recursive: true });
  const [sources, settings] = [join(configuration, "sources.list"), join(configuration, "apt.conf")];
  writeFileSync(sources, await recipe.sources());
  writeFileSync(settings, await aptSettings());
  const unwanted = ["doc", "man", "locale"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const options = ["--mode=root", `--variant=${recipe.variant}`, `--aptopt=${settings}`, ...unwanted];
  const include = `--include=${recipe.packages.join(",")}`;
  const argv = ["mmdebstrap", ...options, include, recipe.suite, temporary, sources];
  // Its processes end with ours, however ours ends: else a build that nobody waits for would go on behind the lock.
  const endsWithParent = [
    "setpriv",
    "--pdeathsig",
    "KILL",
    "unshare",
    "--pid",
    "--mount-proc",
    "--fork",
    "--kill-child",
  ];
  await run([...endsWithParent, "--", ...argv], { timeoutSeconds: BUILD_SECONDS, title: "mmdebstrap" });
  await recipe.adapt?.(temporary);
  await rename(temporary, tree);
  await rm(configuration, { recursive: true });
}

async function removeTree(path: string): Promise<void> {
  // Nothing is mounted in a tree for long, but what is must not be emptied with it.
  await run(["rm", "-rf", "--one-file-system", path], { timeoutSeconds: 300 });
}
