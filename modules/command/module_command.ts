import { UMASK } from "../core/ansible_entry";
import { apply } from "../core/apply";
import { DAEMON_PERFORMERS } from "../core/daemon_performers";
import type { Host } from "../core/host/host";
import { linuxHost } from "../core/host/linux";
import { withLock } from "../core/lock";
import type { Module } from "../core/module";
import type { OptionTable } from "../core/options";
import { watchProcess } from "../core/process_failure";
import { type Result, type RunMode, runModule } from "../core/run_module";
import { checkArguments, type ModuleArguments, moduleFlags, nameSource, readArguments, typedNames } from "./arguments";
import type { Subcommand } from "./command_line";
import { type CurrentOptions, keepCurrent } from "./current/current";
import { EXIT, EXIT_STATUSES, paintFor, print, printError, renderResult } from "./terminal";

interface Description {
  readonly name: string;
  readonly describe: string;
  /** Flags that work on a fresh host, and what they do. */
  readonly example: readonly [flags: string, does: string];
}

const RUN_GROUP = { group: "Run options:" };

/** The flags that every module's subcommand has besides the module's options. */
export const RUN_FLAGS = {
  check: { ...RUN_GROUP, type: "boolean", default: false, describe: "Only show what would change" },
  diff: { ...RUN_GROUP, type: "boolean", default: false, describe: "Show the changes in full" },
  json: { ...RUN_GROUP, type: "boolean", default: false, describe: "Print the module's result as Ansible gets it" },
  args: {
    ...RUN_GROUP,
    type: "string",
    nargs: 1,
    describe:
      "Read module options from this JSON file, or from standard input (-), by Ansible's names (peers, host_index). " +
      "Flags override them. Put secrets here",
  },
} as const;

/**
 * The subcommand that runs a module; each of the module's options is a flag. `current` returns the host's values of the options that
 * are not given, and `followUps` what the operator has to do next, in lines for the terminal.
 */
export function moduleCommand<Table extends OptionTable, Observed>(
  { name, describe, example: [flags, does] }: Description,
  module: Module<Table, Observed>,
  current: CurrentOptions<Table>,
  followUps: (result: Result, given: ModuleArguments, host: Host) => Promise<string[]> = async () => [],
): Subcommand {
  return {
    name,
    describe,
    flags: { ...RUN_FLAGS, ...moduleFlags(module.options) },
    epilog: `${KEPT}\n\nExample, ${does}:\n  apollo-weave ${name} ${flags}\n\n${EXIT_STATUSES}`,
    run: async (values) => {
      const given = readArguments(module.options, values);
      checkArguments(module.name, given);
      process.umask(UMASK);
      const failure = watchProcess();
      const json = values["json"] === true;
      const mode = { check: values["check"] === true, diff: values["diff"] === true, full: json };
      const result =
        mode.check || process.geteuid?.() === 0
          ? await runModule(
              keepCurrent(module, namesOf(given), current),
              json ? given.options : new Map([["option_names", typedNames(given)], ...given.options]),
              mode,
              linuxHost,
              (change) => apply(change, DAEMON_PERFORMERS),
              withLock,
              failure.rejection,
            )
          : needsRoot(name);
      process.exitCode = statusOf(result, mode);
      if (json) print(`${JSON.stringify(result, null, 2)}\n`);
      else printResult(result, mode, given, failure.hasHappened() ? [] : await followUps(result, given, linuxHost));
      // Work that is still going on must not change anything after the result.
      if (failure.hasHappened()) process.exit();
    },
  };
}

const KEPT = "An option that is not given stays as this host has it; the defaults are those of a fresh host.";

/** The options that have a value; null is none. */
function namesOf({ options }: ModuleArguments): ReadonlySet<string> {
  return new Set([...options].flatMap(([option, value]) => (value === null ? [] : [option])));
}

/** Changes and outcome go to standard output, warnings and failures to standard error. */
function printResult(result: Result, mode: RunMode, given: ModuleArguments, left: readonly string[]): void {
  print(renderResult(result, mode, paintFor(process.stdout), left));
  for (const warning of result.warnings ?? []) printError(`warning: ${warning}`);
  if (result.failed) printError(`failed: ${nameSource(result.msg ?? "", given)}`);
}

function statusOf({ failed, changed }: Result, { check }: RunMode): number {
  if (failed) return EXIT.failed;
  return check && changed ? EXIT.wouldChange : EXIT.done;
}

function needsRoot(name: string): Result {
  const msg = `${name}: must run as root to change this host (found user id ${process.geteuid?.()}). Run it with sudo.`;
  return { failed: true, changed: false, msg };
}
