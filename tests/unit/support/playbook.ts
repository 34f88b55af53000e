import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MODULES } from "../../../build/modules";
import { ansiblePlaybook, type PlaybookRun, ROOT } from "../../e2e/playbook";
import { inTemporaryDirectoryUntilDone } from "./temporary_directory";

/**
 * Runs a playbook on an inventory, given as text, or without one, for what Ansible decides before it reaches a host. The build is not needed:
 * the project's modules are empty files, so that Ansible finds them.
 */
export function playWithoutHosts(playbook: string, inventory: string | null, ...args: string[]): Promise<PlaybookRun> {
  return playFrom(ROOT, [playbook, ...args], inventory);
}

/** The same in another directory. `args` are those of ansible-playbook. */
export async function playFrom(
  from: string,
  args: readonly string[],
  inventory: string | null,
  env: Readonly<Record<string, string>> = {},
): Promise<PlaybookRun> {
  let run: PlaybookRun | undefined;
  await inTemporaryDirectoryUntilDone(async (directory) => {
    const [path, library] = [
      inventory === null ? "/dev/null" : join(directory, "inventory"),
      join(directory, "library"),
    ];
    if (inventory !== null) writeFileSync(path, inventory);
    mkdirSync(library);
    for (const { module } of MODULES) writeFileSync(join(library, module.name), "");
    run = await ansiblePlaybook(path, args, { directory: from, env: { ANSIBLE_LIBRARY: library, ...env } });
  });
  if (run === undefined) throw new Error("no play was run");
  return run;
}
