import { UserError } from "../core/errors";

/** The variables that a shell has, by name; undefined for one that is not set. */
export type Variables = (name: string) => string | undefined;

/** A word of a command after the shell has expanded it, and the variable that it comes from, if it comes from only one. */
export interface ShellWord {
  readonly value: string;
  readonly variable: string | null;
}

/** Splits the value of an unquoted variable as a shell does, at white space: quotes in it have no meaning. */
export function splitFields(value: string): string[] {
  return value.split(/[ \t\n]+/).filter((field) => field !== "");
}

/** Variables that a shell sets by itself, whatever it gets, or unless it gets them (dash(1); bash(1), "Shell Variables"). */
const SET_ALWAYS =
  /^(BASH\w*|COMP_\w+|DIRSTACK|EPOCH\w+|EUID|FUNCNAME|GROUPS|HISTCMD|IFS|LINENO|OLDPWD|OPT(ARG|ERR|IND)|PIPESTATUS|PPID|PS[124]|PWD|RANDOM|SECONDS|SHELLOPTS|SHLVL|SRANDOM|UID|_)$/;
const SET_UNLESS_GIVEN = /^(COLUMNS|HOSTNAME|HOSTTYPE|LINES|MACHTYPE|OSTYPE|PATH|SHELL|TERM)$/;

/** The value of a variable in a shell's command, "" if it is not set. */
function valueInShell(name: string, variables: Variables): string {
  const given = variables(name);
  if (SET_ALWAYS.test(name) || (given === undefined && SET_UNLESS_GIVEN.test(name))) {
    throw new UserError(`only a shell can compute $${name}`);
  }
  return given ?? "";
}

const PIECES =
  /(?<blank>[ \t]+)|'(?<single>[^']*)'|"(?<double>(?:\\[\s\S]|[^"\\])*)"|\\(?<escaped>[\s\S])|\$(?:(?<name>[A-Za-z_]\w*)|\{(?<braced>[A-Za-z_]\w*)\})|(?<plain>[\w%+,./:=@^-]+)/y;

/**
 * The words of a simple command as a shell runs it: quotes, backslashes, $NAME and ${NAME} are resolved. Throws a UserError that
 * says what only a shell can do: run several commands, redirect, substitute a command, expand a pattern.
 */
export function shellCommand(text: string, variables: Variables): ShellWord[] {
  const words: ShellWord[] = [];
  let open: { value: string; variable: string | null } | null = null;
  const add = (value: string): void => {
    open = { value: (open?.value ?? "") + value, variable: null };
  };
  const end = (): void => {
    if (open) words.push(open);
    open = null;
  };
  let at = 0;
  for (const body = text.replace(/^[ \t\n]+|[ \t\n]+$/g, ""); at < body.length; ) {
    PIECES.lastIndex = at;
    const match = PIECES.exec(body);
    if (match === null) throw new UserError(`only a shell can run "${body.slice(at, at + 20)}"`);
    at += match[0].length;
    const { blank, single, double, escaped, name, braced, plain } = match.groups ?? {};
    const variable = name ?? braced;
    if (blank !== undefined) end();
    else if (single !== undefined) add(single);
    else if (double !== undefined) add(inDoubleQuotes(double, variables));
    else if (escaped !== undefined) add(escaped === "\n" ? "" : escaped);
    else if (plain !== undefined) add(plain);
    else if (variable !== undefined) {
      const value = valueInShell(variable, variables);
      if (/[*?[]/.test(value)) throw new UserError(`only a shell can expand the pattern in $${variable}`);
      const fields = splitFields(value);
      if (/^[ \t\n]/.test(value)) end();
      fields.forEach((field, index) => {
        if (index > 0) end();
        const whole: boolean = open === null;
        add(field);
        if (whole && open) open = { value: field, variable };
      });
      if (/[ \t\n]$/.test(value)) end();
    }
  }
  end();
  const assignment = words.find(({ value }, index) => index === 0 && /^[A-Za-z_]\w*=/.test(value));
  if (assignment) throw new UserError(`only a shell can set variables for a command ("${assignment.value}")`);
  return words;
}

function inDoubleQuotes(text: string, variables: Variables): string {
  return text.replace(
    /\\([\s\S])|\$([A-Za-z_]\w*)|\$\{([A-Za-z_]\w*)\}|([$`])/g,
    (all, escaped?: string, name?: string, braced?: string, special?: string) => {
      if (escaped !== undefined) return escaped === "\n" ? "" : /["\\$`]/.test(escaped) ? escaped : all;
      if (special !== undefined) throw new UserError(`only a shell can run ${JSON.stringify(text.slice(0, 20))}`);
      return valueInShell(name ?? braced ?? "", variables);
    },
  );
}
