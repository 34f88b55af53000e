import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { aptSettings, debianRelease, debianSources } from "./apt_sources";
import { withLock } from "./lock";
import { CACHE } from "./paths";
import { FILES, MASKED_UNITS, PACKAGES, REMOVED_FILES, treeName } from "./recipe";
import { run } from "./run";

const BUILD_SECONDS = 900;

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
  return withLock("base", BUILD_SECONDS, async () => {
    const release = debianRelease();
    const base = join(CACHE, treeName(release));
    const inUse = steps.inUse();
    for (const name of readdirSync(CACHE)) {
      const path = join(CACHE, name);
      if (name.startsWith("base-") && path !== base && !inUse.includes(path)) await removeTree(path);
    }
    if (!existsSync(base)) {
      const started = Date.now();
      steps.log(`building the hosts' Debian ${release} tree, once, in ${base}`);
      await build(release, base);
      steps.log(`built in ${Math.round((Date.now() - started) / 1000)} s`);
    }
    steps.claim(base);
    return base;
  });
}

async function build(release: string, base: string): Promise<void> {
  // A build that was cut off leaves these behind; the loop above takes them for an old tree and removes them.
  const [temporary, configuration] = [`${base}.partial`, `${base}.apt`];
  mkdirSync(configuration, { recursive: true });
  const [sources, settings] = [join(configuration, "sources.list"), join(configuration, "apt.conf")];
  writeFileSync(sources, await debianSources(release));
  writeFileSync(settings, await aptSettings());
  const unwanted = ["doc", "man", "locale"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const options = ["--mode=root", "--variant=minbase", `--aptopt=${settings}`, ...unwanted];
  const argv = ["mmdebstrap", ...options, `--include=${PACKAGES.join(",")}`, release, temporary, sources];
  // Its processes end with ours, however ours ends: else a build that nobody waits for would go on behind the lock.
  const leash = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--mount-proc", "--fork", "--kill-child"];
  await run([...leash, "--", ...argv], { timeoutSeconds: BUILD_SECONDS, title: "mmdebstrap" });
  adapt(temporary);
  await rename(temporary, base);
  await rm(configuration, { recursive: true });
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

async function removeTree(path: string): Promise<void> {
  // Nothing is mounted in a tree for long, but what is must not be emptied with it.
  await run(["rm", "-rf", "--one-file-system", path], { timeoutSeconds: 300 });
}
