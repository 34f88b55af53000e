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
    // A value may begin with a dash: --opts "--dns 8.8.8.8".
    .parserConfiguration({ "nargs-eats-options": true })
    .demandCommand(1, "Give a command.")
    .strict()
    .version(false);
  for (const command of subcommands) parser.command(command);
  await parser.parseAsync();
}

/** Makes a subcommand of a module: each of its options is a flag, with "-" for "_", but a secret, which is WEAVE_PASSWORD. */
export function subcommand<Table extends OptionTable, Observed>(
  name: string,
  describe: string,
  module: Module<Table, Observed>,
): CommandModule {
  const table = Object.entries(module.options);
  const flags = table.filter(([, { secret }]) => !secret);
  return {
    command: name,
    describe,
    builder: (parser) =>
      parser.options(Object.fromEntries(flags.map(([option, row]) => [flagOf(option), toFlag(row)]))),
    handler: async (argv) => {
      const given = table
        .map(
          ([option, { secret }]) => [option, secret ? process.env[variableOf(option)] : argv[flagOf(option)]] as const,
        )
        .filter(([, value]) => value !== undefined);
      const mode = { check: argv["check"] === true, diff: argv["diff"] === true };
      const result = await runModule(module, new Map(given), mode, linuxHost, apply);
      console.log(argv["json"] === true ? JSON.stringify(result, null, 2) : renderResult(result));
      process.exitCode = result.failed ? 1 : 0;
    },
  };
}

/** The environment variable of a secret, which a flag would show in the process list. */
function variableOf(option: string): string {
  return `WEAVE_${option.toUpperCase()}`;
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
    ...(type === "bool" ? { type: "boolean" } : { type: "string", nargs: 1 }),
    ...(choices && { choices }),
    ...(value !== null && { defaultDescription: typeof value === "object" ? listed(value) || "none" : String(value) }),
  };
}
