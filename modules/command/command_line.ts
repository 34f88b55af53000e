import type { Argv, CommandModule } from "yargs";
import { UserError } from "../core/errors";
import { EXIT, EXIT_STATUSES } from "./exit_status";
import { allowClosedPipe, complain } from "./output";

// By `require`: the form of yargs that an `import` is bundled with folds lines in the middle of words.
const yargs: typeof import("yargs") = require("yargs");

const { version } = require("../../package.json") as { version: string };

const PROGRAM = "apollo-weave";

/** Runs a command line with these subcommands; `words` are those behind the program's name. Sets the exit status. */
export async function runCommandLine(words: readonly string[], commands: readonly CommandModule[]): Promise<void> {
  allowClosedPipe();
  const names = commands.map(({ command }) => String(command).replace(/ .*/, ""));
  const name = names.find((each) => each === words[0]);
  try {
    await parser(words, commands, names).parseAsync();
  } catch (error) {
    if (!(error instanceof Misread || error instanceof UserError)) throw error;
    const what = error instanceof Misread ? inOwnWords(error.message, words, name, names) : error.message;
    complain(`${what}\nsee: ${PROGRAM}${name === undefined ? "" : ` ${name}`} --help`);
    process.exitCode = EXIT.usage;
  }
}

/** What yargs has against a command line. */
class Misread extends Error {}

function parser(words: readonly string[], commands: readonly CommandModule[], names: readonly string[]): Argv {
  const argv = yargs(words)
    .scriptName(PROGRAM)
    .usage("$0 <command> [flags]\n\nThe container network of this host, by hand.")
    .detectLocale(false)
    // A value may begin with a dash: --opts "--dns 8.8.8.8".
    .parserConfiguration({ "nargs-eats-options": true, "camel-case-expansion": false })
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .demandCommand(1, `there is no command; give one of: ${names.join(", ")}`)
    .strictCommands()
    .strictOptions()
    .version(version)
    .help()
    .epilog(EXIT_STATUSES)
    .fail((message: string | null, error: Error | undefined) => {
      throw error && error.name !== "YError" ? error : new Misread(message ?? error?.message);
    });
  for (const command of commands) argv.command(command);
  return argv;
}

/** yargs' message, with what to do next. */
function inOwnWords(
  message: string,
  words: readonly string[],
  name: string | undefined,
  names: readonly string[],
): string {
  const text = message.replace(/\s+/g, " ").trim();
  const [, argument = "", value, choices = ""] =
    /^Invalid values: Argument: (\S+), Given: "(.*)", Choices: (.*)$/.exec(text) ?? [];
  if (value !== undefined) {
    const flag = words.find((word) => word.replace(/=.*/s, "") === `--${argument}`)?.replace(/=.*/s, "");
    return `${flag ?? argument} must be one of: ${choices.replaceAll('"', "")}, got: ${value}`;
  }
  return text
    .replace(
      /^Unknown commands?: (.*)/,
      name === undefined
        ? `there is no command $1; give one of: ${names.join(", ")}`
        : "$1 stands alone; a value follows its flag, and the elements of a list are separated by commas",
    )
    .replace(/^Unknown arguments?: (.*)/, "there is no flag --$1; look for the one that you mean")
    .replace(/^Not enough arguments following: (.*)/, "--$1 needs a value: --$1 VALUE");
}
