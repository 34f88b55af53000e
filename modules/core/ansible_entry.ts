import { apply } from "./apply";
import { linuxHost } from "./host/linux";
import { asciiJson } from "./json";
import { withLock } from "./lock";
import type { Module } from "./module";
import type { OptionTable } from "./options";
import { type Result, runModule } from "./run_module";

/** The usual one of root. */
export const UMASK = 0o022;

/**
 * Runs a module for Ansible, with the arguments in the second line of its file (see build/bundle.ts), and prints the result
 * as one JSON object between newlines. Nothing goes to standard error, which Ansible mixes into the result on a terminal.
 * The process is not ended early, as that would cut off a long result.
 */
export async function runForAnsible<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
): Promise<void> {
  // The files and folders of the programs that the module starts must not be open to all because its caller's umask is 0.
  process.umask(UMASK);
  const result = await runWithArguments(module, (globalThis as { __ANSIBLE_ARGS?: unknown }).__ANSIBLE_ARGS);
  process.exitCode = result.failed ? 1 : 0;
  process.stdout.write(`\n${asciiJson(result)}\n`);
}

async function runWithArguments<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
  given: unknown,
): Promise<Result> {
  // In an object literal, the key `__proto__` sets the prototype instead of a property.
  if (typeof given !== "object" || given === null || Object.getPrototypeOf(given) !== Object.prototype) {
    return {
      failed: true,
      changed: false,
      msg: `${module.name} takes an object of options, and none named __proto__.`,
    };
  }
  const all = new Map(Object.entries(given));
  const own = new Map([...all].filter(([name]) => !name.startsWith("_ansible_")));
  const mode = { check: all.get("_ansible_check_mode") === true, diff: all.get("_ansible_diff") === true };
  return runModule(module, own, mode, linuxHost, apply, withLock);
}
