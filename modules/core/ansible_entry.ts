import { writeSync } from "node:fs";
import { apply } from "./apply";
import type { Performers } from "./change";
import { linuxHost } from "./host/linux";
import { asciiJson } from "./json";
import { withLock } from "./lock";
import type { Module } from "./module";
import type { OptionTable } from "./options";
import { watchProcess } from "./process_failure";
import { type Result, runModule } from "./run_module";

/** Root's usual umask. */
export const UMASK = 0o022;

/**
 * Runs a module for Ansible, with the arguments in the second line of its file (see build/bundle.ts), and prints the result
 * as one JSON object between newlines, whatever happens. Nothing goes to standard error, which Ansible mixes into the result on
 * a terminal. The process is not ended before the result is written, as that would cut off a long one. `performers` perform the
 * actions that not every module has; a bundle has only its module's.
 */
export async function runForAnsible<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
  performers?: Performers,
): Promise<void> {
  // The files and directories of the programs that the module starts must not be open to all because its caller's umask is 0.
  process.umask(UMASK);
  process.removeAllListeners("warning");
  const ended = guardEnd(module.name);
  const failure = watchProcess();
  const given = (globalThis as { __ANSIBLE_ARGS?: unknown }).__ANSIBLE_ARGS;
  const result = await runWithArguments(module, performers, given, failure.rejection);
  const text = `\n${asciiJson(result)}\n`;
  ended();
  process.exitCode = result.failed ? 1 : 0;
  // After an unhandled error or a signal, work that is still going on must not change anything after the result.
  process.stdout.write(text, () => failure.hasHappened() && process.exit());
}

/** Prints a result when the process ends, unless the returned function was called before. */
function guardEnd(name: string): () => void {
  let printed = false;
  // Nobody reads any more: only the status can say that the result is lost.
  process.stdout.on("error", () => {
    process.exitCode = 1;
  });
  process.on("exit", () => {
    if (printed) return;
    const msg = `${name}: ended before it had a result, and may have changed the host. Run it again, and report this with the output of -vvv.`;
    try {
      writeSync(1, `\n${asciiJson({ failed: true, changed: true, msg })}\n`);
    } catch {
      // Nobody reads.
    }
    process.exitCode = 1;
  });
  return () => {
    printed = true;
  };
}

async function runWithArguments<Table extends OptionTable, Observed>(
  module: Module<Table, Observed>,
  performers: Performers | undefined,
  given: unknown,
  failure: Promise<never>,
): Promise<Result> {
  // In an object literal, the key `__proto__` sets the prototype instead of a property.
  if (typeof given !== "object" || given === null || Object.getPrototypeOf(given) !== Object.prototype) {
    return {
      failed: true,
      changed: false,
      msg: `${module.name}: must be given an object of options (found another value, or the option __proto__). Remove that option.`,
    };
  }
  const all = new Map(Object.entries(given));
  const own = new Map([...all].filter(([name]) => !name.startsWith("_ansible_")));
  const mode = {
    check: all.get("_ansible_check_mode") === true,
    diff: all.get("_ansible_diff") === true,
    full: Number(all.get("_ansible_verbosity")) > 0,
  };
  return runModule(module, own, mode, linuxHost, (change) => apply(change, performers), withLock, failure);
}
