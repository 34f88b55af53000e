import yargs, { type CommandModule, type Options } from "yargs";
import { hideBin } from "yargs/helpers";
import { apply } from "../core/apply";
import { linuxHost } from "../core/linux_host";
import type { Module } from "../core/module";
import type { Option } from "../core/option";
import type { OptionTable } from "../core/parse_options";
import { runModule } from "../core/run_module";
import { renderResult } from "./render";

/** Runs the command line of this process with the given subcommands. The exit status is 1 where a module failed. */
export async function runCommand(subcommands: readonly CommandModule[]): Promise<void> {
  const parser = yargs(hideBin(process.argv))
    .scriptName("apollo-weave")
    .usage("$0 <command> [options]\n\nOne Ansible module by hand, on this host.")
    .options({
      check: { type: "boolean", default: false, describe: "Only show what would change" },
      diff: { type: "boolean", default: false, describe: "Show the changes in full" },
      json: { type: "boolean", default: false, describe: "Print the module's own result" },
    })
    .demandCommand(1, "Give a command.")
    .strict()
    .version(false);
  for (const command of subcommands) parser.command(command);
  await parser.parseAsync();
}

/** Makes a subcommand of a module: each of its options is a flag, with "-" for "_". */
export function subcommand<Table extends OptionTable, Observed>(
  name: string,
  describe: string,
  module: Module<Table, Observed>,
): CommandModule {
  const table = Object.entries(module.options);
  return {
    command: name,
    describe,
    builder: (parser) =>
      parser.options(Object.fromEntries(table.map(([option, row]) => [flagOf(option), toFlag(row)]))),
    handler: async (argv) => {
      const given = table
        .map(([option]) => [option, argv[flagOf(option)]] as const)
        .filter(([, value]) => value !== undefined);
      const mode = { check: argv["check"] === true, diff: argv["diff"] === true };
      const result = await runModule(module, new Map(given), mode, linuxHost, apply);
      console.log(argv["json"] === true ? JSON.stringify(result, null, 2) : renderResult(result));
      process.exitCode = result.failed ? 1 : 0;
    },
  };
}

function flagOf(option: string): string {
  return option.replace(/_/g, "-");
}

/** A list or dictionary as a flag takes it. */
function listed(value: object): string {
  return (Array.isArray(value) ? value : Object.entries(value).map((pair) => pair.join("="))).join(",");
}

/** Values stay texts: the module's own table converts them, as it does Ansible's. */
function toFlag({ type, description, default: value, choices }: Option<unknown>): Options {
  return {
    describe: description.replace(/\b[CI]\(([^)]*)\)/g, "$1"),
    ...(type === "bool" ? { type: "boolean" } : { type: "string" }),
    ...(type === "list" && { array: true }),
    ...(choices && { choices }),
    ...(value !== null && { defaultDescription: typeof value === "object" ? listed(value) || "none" : String(value) }),
  };
}
