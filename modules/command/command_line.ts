import type { Argv, CommandModule, Options } from "yargs";
import { UserError } from "../core/errors";
import type { FlagValues } from "./arguments";
import { didYouMean } from "./did_you_mean";
import { allowClosedPipe, EXIT, EXIT_STATUSES, printError } from "./terminal";

// By `require`: the build of yargs that an `import` gets wraps help lines in the middle of words.
const yargs: typeof import("yargs") = require("yargs");

const { version } = require("../../package.json") as { version: string };

const PROGRAM = "apollo-weave";

/** One subcommand of apollo-weave. */
export interface Subcommand {
  readonly name: string;
  readonly describe: string;
  /** The argument that follows its name, if it has one. */
  readonly argument?: { readonly name: string; readonly choices: readonly string[]; readonly describe: string };
  readonly flags: Readonly<Record<string, Options>>;
  /** The end of its --help. */
  readonly epilog: string;
  readonly run: (values: FlagValues) => void | Promise<void>;
}

/** Runs a command line; `words` follow the program's name. Prints a mistake in it to standard error and sets the exit status. */
export async function runCommandLine(words: readonly string[], commands: readonly Subcommand[]): Promise<void> {
  allowClosedPipe();
  try {
    await parser(words, commands).parseAsync();
  } catch (error) {
    if (!(error instanceof UserError)) {
      printError(`failed unexpectedly: ${error instanceof Error ? error.stack : String(error)}`);
      process.exitCode = EXIT.failed;
      return;
    }
    const command = commands.find(({ name }) => name === words[0]);
    printError(`${error.message}\nsee: ${PROGRAM}${command === undefined ? "" : ` ${command.name}`} --help`);
    process.exitCode = EXIT.usage;
  }
}

function parser(words: readonly string[], commands: readonly Subcommand[]): Argv {
  const argv = yargs(words)
    .scriptName(PROGRAM)
    .usage("$0 <command> [options]\n\nShow and set up this host's container network.")
    .detectLocale(false)
    .updateStrings(MESSAGES as Record<string, unknown> as Record<string, string>)
    // A value may begin with a dash: --opts "--dns 8.8.8.8".
    .parserConfiguration({ "nargs-eats-options": true, "camel-case-expansion": false, "parse-numbers": false })
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .demandCommand(1, `command: must be given (found none). Use one of: ${namesOf(commands)}.`)
    .middleware((values) => checkWords(values, commands), true)
    .version(version)
    .help()
    .epilog(EXIT_STATUSES)
    .fail((message: string | null, error: Error | undefined) => {
      throw error && error.name !== "YError" ? error : new UserError(message ?? String(error?.message));
    });
  for (const command of commands) argv.command(toYargs(command));
  return argv;
}

/** yargs' messages about mistakes that `checkWords` can't see. The declared type of updateStrings lacks plural forms. */
const MESSAGES = {
  "Not enough arguments following: %s": "--%s: must have a value (found none). Write it after the option.",
  "Not enough non-option arguments: got %s, need at least %s": {
    one: "argument: must be given (found %s of %s). Write it after the command.",
    other: "argument: must be given (found %s of %s). Write it after the command.",
  },
};

function toYargs({ name, describe, argument, flags, epilog, run }: Subcommand): CommandModule {
  return {
    command: argument === undefined ? name : `${name} <${argument.name}>`,
    describe,
    builder: (argv) => {
      if (argument !== undefined) argv.positional(argument.name, { ...argument, type: "string", demandOption: true });
      return argv.options(flags).epilog(epilog);
    },
    handler: run,
  };
}

/** Replaces yargs' strict mode, which does not suggest the option that was probably meant. Throws a UserError. */
function checkWords(
  values: FlagValues & { readonly _: readonly (string | number)[] },
  all: readonly Subcommand[],
): void {
  const [name, ...more] = values._.map(String);
  const command = all.find((each) => each.name === name);
  if (name !== undefined && command === undefined) {
    checkChoice(
      "command",
      name,
      all.map((each) => each.name),
    );
  }
  const argument = command?.argument;
  const known = [...Object.keys(command?.flags ?? {}), "help", "version"];
  const unknown = Object.keys(values).find((key) => ![...known, argument?.name, "_", "$0"].includes(key));
  if (unknown !== undefined) {
    throw new UserError(
      `${unknown.length === 1 ? "-" : "--"}${unknown}: must be an option of apollo-weave ${name ?? ""} (found an unknown one). ` +
        (didYouMean(unknown, known, "--") ?? "Correct or remove it."),
    );
  }
  if (more.length > 0) {
    throw new UserError(
      `argument: must follow an option (found "${more[0]}"). Write a value after its option, and commas between the elements of a list.`,
    );
  }
  if (argument !== undefined) checkChoice(argument.name, values[argument.name], argument.choices);
  for (const [flag, { choices }] of Object.entries(command?.flags ?? {})) {
    if (choices !== undefined) checkChoice(`--${flag}`, values[flag], choices.map(String));
  }
}

function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  const wrong = [value].flat().find((each) => each !== undefined && !choices.includes(String(each)));
  if (wrong === undefined) return;
  const meant = didYouMean(String(wrong), choices) ?? "Use one of these.";
  throw new UserError(`${name}: must be one of: ${choices.join(", ")} (found "${wrong}"). ${meant}`);
}

function namesOf(commands: readonly Subcommand[]): string {
  return commands.map(({ name }) => name).join(", ");
}
