import type { CommandModule } from "yargs";
import { print } from "./output";

/**
 * What a shell runs to complete a command line: it asks the very program that is named there (yargs answers). The variable
 * SHELL, which may name another shell than the one that asks, tells yargs in which form. bash has "=" as a word of its own.
 * Behind a flag without a word begun yet, the next flags are no answer: a value is due, which may be a file's name.
 */
const SCRIPTS = {
  bash: `_apollo_weave() {
  local word answer words=()
  for word in "\${COMP_WORDS[@]:0:COMP_CWORD}"; do
    [ "$word" = = ] || words+=("$word")
  done
  answer=$(SHELL=bash "$1" --get-yargs-completions "\${words[@]}" "$2" 2>/dev/null)
  [[ \${words[-1]} != --* || -n $2 ]] || answer=$(grep -v ^- <<<"$answer")
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$answer" -- "$2"))
}
complete -o bashdefault -o default -F _apollo_weave apollo-weave
`,
  zsh: `#compdef apollo-weave
_apollo_weave() {
  local answer
  answer=("\${(@f)$(SHELL=zsh $words[1] --get-yargs-completions "\${(@)words[1,CURRENT]}" 2>/dev/null)}")
  [[ $words[CURRENT-1] != --* || -n $words[CURRENT] ]] || answer=("\${(@)answer:#-*}")
  answer=(\${answer:#})
  if (( $#answer )); then _describe value answer; else _files; fi
}
compdef _apollo_weave apollo-weave
`,
} as const;

type Shell = keyof typeof SCRIPTS;

/** The subcommand that prints such a script. */
export const completionCommand: CommandModule<object, { shell: Shell }> = {
  command: "completion <shell>",
  describe: "Print what has a shell complete this command",
  builder: (parser) =>
    parser
      .positional("shell", { choices: Object.keys(SCRIPTS) as Shell[], demandOption: true, describe: "Which shell" })
      .epilog(
        "Example, for this shell, or as a line of ~/.bashrc for all to come:\n  source <(apollo-weave completion bash)",
      ),
  handler: ({ shell }) => print(SCRIPTS[shell]),
};
