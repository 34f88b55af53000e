import { join } from "node:path";
import { ensureBase } from "../hosts/base";
import type { Suite } from "../hosts/suites";

/**
 * Returns the argument vector that runs a program with a suite's ansible-core, where test hosts boot from, in this process's
 * working directory, and has these directories of the machine there, by the same paths. What it writes elsewhere is gone
 * when it ends. The tree is built first if need be.
 */
export async function withAnsibleOf(
  suite: Suite,
  argv: readonly string[],
  directories: readonly string[],
): Promise<string[]> {
  const tree = await ensureBase(suite);
  const enter = ["/bin/sh", join(__dirname, "enter.sh"), tree, ...directories, "--"];
  // What the machine unmounts is unmounted there too; nothing comes back.
  return ["unshare", "--mount", "--propagation", "slave", "--", ...enter, ...argv];
}
