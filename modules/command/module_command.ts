import type { CommandModule } from "yargs";
import { apply } from "../core/apply";
import { linuxHost } from "../core/host/linux";
import { withLock } from "../core/lock";
import type { Module } from "../core/module";
import type { OptionTable } from "../core/options";
import { type Result, type RunMode, runModule } from "../core/run_module";
import { EXIT, EXIT_STATUSES } from "./exit_status";
import { moduleFlags } from "./flags";
import { type Given, inUsersTerms, readGiven, refuseUnusable } from "./given";
import { complain, print } from "./output";
import { paintFor } from "./paint";
import { renderResult } from "./render";

interface Words {
  readonly name: string;
  readonly describe: string;
  /** Flags that do something on a fresh host, and what. */
  readonly example: readonly [flags: string, does: string];
}

/** The flags that a subcommand of a module has beside its options. */
export const RUN_FLAGS = {
  check: { type: "boolean", default: false, describe: "Only show what would change; touch nothing" },
  diff: { type: "boolean", default: false, describe: "Show the changes in full" },
  json: { type: "boolean", default: false, describe: "Print the module's own result, as Ansible gets it" },
  args: {
    type: "string",
    nargs: 1,
    describe:
      "Read the module's options from this JSON file, or from standard input (-), as Ansible has them: peers, host_index. " +
      "Flags count before it. The place for a secret",
  },
} as const;

/** Makes a subcommand of a module: each of its options is a flag. */
export function moduleCommand<Table extends OptionTable, Observed>(
  { name, describe, example: [flags, does] }: Words,
  module: Module<Table, Observed>,
): CommandModule {
  return {
    command: name,
    describe,
    builder: (parser) =>
      parser
        .options(RUN_FLAGS)
        .group(Object.keys(RUN_FLAGS), "How it runs:")
        .options(moduleFlags(module.options))
        .epilog(`Example, ${does}:\n  apollo-weave ${name} ${flags}\n\n${EXIT_STATUSES}`),
    handler: async (argv) => {
      const given = readGiven(module.options, argv);
      refuseUnusable(module.name, given);
      const mode = { check: argv["check"] === true, diff: argv["diff"] === true };
      const result =
        mode.check || isRoot()
          ? await runModule(module, given.options, mode, linuxHost, apply, withLock)
          : needsRoot(name);
      process.exitCode = statusOf(result, mode);
      if (argv["json"] === true) print(`${JSON.stringify(result, null, 2)}\n`);
      else tell(result, mode, given);
    },
  };
}

/** Changes and outcome on standard output; what is wrong on standard error. */
function tell(result: Result, mode: RunMode, given: Given): void {
  print(renderResult(result, mode, paintFor(process.stdout)));
  for (const warning of result.warnings ?? []) complain(`warning: ${warning}`);
  if (result.failed) complain(`failed: ${inUsersTerms(result.msg ?? "", given)}`);
}

function statusOf({ failed, changed }: Result, { check }: RunMode): number {
  if (failed) return EXIT.failed;
  return check && changed ? EXIT.wouldChange : EXIT.done;
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

function needsRoot(name: string): Result {
  const user = process.geteuid?.();
  const msg = `${name} changes this host, which needs root, and runs as user ${user}; run it with sudo`;
  return { failed: true, changed: false, msg };
}
