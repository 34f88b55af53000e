import { apply } from "./apply";
import { asciiJson } from "./ascii_json";
import { linuxHost } from "./host/linux";
import { withLock } from "./lock";
import type { Module } from "./module";
import type { OptionTable } from "./options";
import { type Result, runModule } from "./run_module";

/**
 * A module as Ansible runs it: takes the arguments that Ansible put into the file's second line (see build/bundle.ts),
 * runs the module on this host and prints its result, one JSON object between newlines. Nothing goes to standard error,
 * which Ansible mixes into the result on a terminal, and the process ends by itself, as an early exit would cut a long
 * result short.
 */
export async function runForAnsible<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
): Promise<void> {
  const result = await runWithArguments(module, (globalThis as { __ANSIBLE_ARGS?: unknown }).__ANSIBLE_ARGS);
  process.exitCode = result.failed ? 1 : 0;
  process.stdout.write(`\n${asciiJson(result)}\n`);
}

async function runWithArguments<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
  given: unknown,
): Promise<Result> {
  // As an object literal, a key `__proto__` has become the prototype instead of a key.
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
