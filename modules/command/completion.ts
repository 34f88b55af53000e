import type { Subcommand } from "./command_line";
import { print } from "./terminal";

/**
 * The scripts ask the program that is being completed, and yargs answers in the form of the shell that SHELL names; that
 * may be another than the one that asks, so each script sets it. bash makes "=" a separate word. After a flag, before
 * any letter of its value, further flags are dropped from the answer: a value is due, which may be a file name.
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

/** The subcommand that prints the completion script of a shell. */
export const completionCommand: Subcommand = {
  name: "completion",
  describe: "Print a script that completes this command in a shell",
  argument: { name: "shell", choices: Object.keys(SCRIPTS), describe: "The shell" },
  flags: {},
  epilog: "Example, in this shell, or as a line in ~/.bashrc:\n  source <(apollo-weave completion bash)",
  run: ({ shell }) => print(shell === "zsh" ? SCRIPTS.zsh : SCRIPTS.bash),
};
