import { UserError } from "../../core/errors";
import { redactSecrets } from "../../core/redact";
import { wordsOfFlags } from "../../formats/docker_flags";
import { type ShellWord, shellCommand, splitFields } from "../../formats/shell_command";
import type { Word } from "../../formats/shell_words";
import { bracedVariables, replaceBraced, splitVariable } from "../../formats/systemd_expand";
import { listSettings, parseUnit, type TextFile, type UnitSetting } from "../../formats/systemd_unit";
import { systemdWords } from "../../formats/systemd_words";
import { DROP_IN_PATH, NOTHING_WRITTEN, nameOrigin, type Origin, type UnitStart, type Written } from "./docker_service";
import { expandKnown, unitEnvironment, type Variable } from "./environment";

/** The variable with dockerd's options, wherever a service reads them from a file. */
export const VARIABLE = "DOCKER_OPTS";

/** An argument of dockerd, and where it is set. */
export interface Argument extends Word {
  readonly origin: Origin;
  /** The number of the word of ExecStart= that it comes from. */
  readonly word: number;
}

/** A place where DOCKER_OPTS is split into arguments. */
export interface Split {
  /** The position of its first argument. */
  readonly at: number;
  /** How many there are. */
  readonly count: number;
  /** The number of the word of ExecStart= that it is in. */
  readonly word: number;
  readonly by: "systemd" | "shell";
}

/** What systemd passes to dockerd. */
export interface CommandLine {
  /** The words of ExecStart= as they are written, with systemd's prefixes before the first. */
  readonly words: readonly Word[];
  /** ExecStart= itself. */
  readonly origin: Origin;
  readonly program: string;
  readonly args: readonly Argument[];
  readonly splits: readonly Split[];
  /** Whether a shell starts dockerd. */
  readonly byShell: boolean;
  /** The unit's settings and environment. */
  readonly settings: readonly UnitSetting[];
  readonly variables: ReadonlyMap<string, Variable>;
}

/** The settings of the unit with this module's drop-in at its place. */
function settingsWith({ files }: UnitStart, dropIn: string | null): UnitSetting[] {
  if (dropIn === null) return parseUnit(files);
  const ours: TextFile = { path: DROP_IN_PATH, content: dropIn };
  const nameOf = ({ path }: TextFile): string => path.replace(/.*\//, "");
  const [unit, ...others] = files;
  const later = others.filter((file) => nameOf(file) > nameOf(ours));
  const earlier = others.filter((file) => nameOf(file) < nameOf(ours));
  return parseUnit([...(unit ? [unit] : []), ...earlier, ours, ...later]);
}

/**
 * The arguments that systemd passes to dockerd, as the unit, its drop-ins and its environment files are, with what is about to be
 * written. Throws a UserError that names the place where they can't be computed.
 */
export function commandLine(start: UnitStart, written: Written = NOTHING_WRITTEN): CommandLine {
  const settings = settingsWith(start, written.dropIn);
  const [setting, second] = listSettings(settings, "Service", "ExecStart");
  if (setting === undefined) {
    throw new UserError(
      `${start.files[0]?.path ?? "docker.service"}: must have an ExecStart=, or dockerd's arguments can't be computed (found none). Correct the unit.`,
    );
  }
  const origin: Origin = { path: setting.path, line: setting.line, variable: null };
  const fail = (what: string, remedy: string): never => {
    throw new UserError(
      `${nameOrigin(origin)}: ExecStart= must show dockerd's arguments (found that it ${what}). ${remedy}`,
    );
  };
  if (second !== undefined) {
    fail(
      `is set again in ${nameOrigin({ ...second, variable: null })}`,
      "Write an empty ExecStart= before the second.",
    );
  }
  const { variables, removedBy } = unitEnvironment(settings, start, written);
  const passed = new Set(
    listSettings(settings, "Service", "PassEnvironment").flatMap(({ value }) => value.split(/\s+/)),
  );
  const variableOf = (name: string): Variable | undefined => {
    const variable = variables.get(name);
    if (variable?.doubt)
      fail(`uses ${name}, ${variable.doubt.why} (${nameOrigin(variable.origin)})`, variable.doubt.remedy);
    if (variable === undefined && (passed.has(name) || start.inherited.has(name) || AT_START.test(name))) {
      fail(`uses ${name}, which systemd sets when it starts Docker`, "Write its value instead.");
    }
    return variable;
  };
  // systemd 262 expands a variable before UnsetEnvironment= removes it, older versions after (systemd pull request 43471). With
  // `sh -c` the shell expands it, and no version passes it a removed variable.
  const expanded = (name: string): Variable | undefined => {
    const setting = removedBy.get(name);
    if (setting !== undefined) {
      fail(
        `uses ${name}, which systemd expands before UnsetEnvironment= removes it from version 262 on, and after that in older ones: ` +
          nameOrigin({ ...setting, variable: null }),
        "Remove its name from that line.",
      );
    }
    return variableOf(name);
  };

  const { words, complete } = systemdWords(setting.value, "command");
  if (!complete) fail("has a quote that is not closed", "Close it.");
  if (words.some(({ raw }) => raw === ";")) fail('has several commands (";")', "Start only dockerd there.");
  const [, prefix = "", programWord = ""] = /^([-@:+!|]*)([\s\S]*)$/.exec(words[0]?.value ?? "") ?? [];
  const program = expandKnown(programWord, setting, start.specifiers);
  const expands = !prefix.includes(":");
  const first = prefix.includes("@") ? 2 : 1;
  const args: Argument[] = [];
  const splits: Split[] = [];
  words.slice(first).forEach(({ raw, value }, index) => {
    const text = expandKnown(raw === "\\;" ? ";" : value, setting, start.specifiers);
    const word = first + index;
    const name = expands ? splitVariable(text) : null;
    if (name !== null) {
      const variable = expanded(name);
      const values = variable === undefined ? [] : systemdWords(variable.value, "value").words;
      if (name === VARIABLE) splits.push({ at: args.length, count: values.length, word, by: "systemd" });
      args.push(
        ...values.map((each) => ({ raw: each.raw, value: each.value, word, origin: variable?.origin ?? origin })),
      );
      return;
    }
    const used = expands ? bracedVariables(text).map((each) => expanded(each)?.origin) : [];
    const expandedText = expands ? replaceBraced(text, (each) => expanded(each)?.value ?? "") : text;
    args.push({ raw, value: expandedText, word, origin: used.find((each) => each !== undefined) ?? origin });
  });
  const line: CommandLine = { words, origin, program, args, splits, byShell: false, settings, variables };
  if (/(^|\/)(ba|da|k|z)?sh$/.test(program)) return inShell(line, variableOf, fail);
  if (start.isScript) fail(`starts the script ${program}`, STARTS_DOCKERD);
  if (!isDocker(program)) fail(`starts dockerd through ${program}`, STARTS_DOCKERD);
  return line;
}

const STARTS_DOCKERD = "Start dockerd itself there, with its options.";

/** What systemd sets itself for each start (systemd.exec(5), "Environment variables set on services"). */
const AT_START =
  /^(PATH|LANG|USER|LOGNAME|HOME|SHELL|INVOCATION_ID|\w+_DIRECTORY|MAINPID|MANAGERPID|LISTEN_\w+|NOTIFY_SOCKET|WATCHDOG_\w+|SYSTEMD_EXEC_PID|TERM|LOG_NAMESPACE|JOURNAL_STREAM|SERVICE_RESULT|EXIT_\w+|MONITOR_\w+|PIDFILE|REMOTE_\w+|MEMORY_PRESSURE_\w+|FDSTORE)$/;

/** dockerd, docker (before 1.12, with "daemon" or -d), dockerd-ce, docker.io … */
export function isDocker(program: string): boolean {
  return /(^|\/)docker[^/]*$/.test(program);
}

/** `sh -c "exec dockerd …"`: the shell's command line instead of systemd's. */
function inShell(
  line: CommandLine,
  variableOf: (name: string) => Variable | undefined,
  fail: (what: string, remedy: string) => never,
): CommandLine {
  const [flag, script] = line.args;
  if (flag === undefined || script === undefined || !/^-[eu]*c[eu]*$/.test(flag.value)) {
    return fail(`starts ${line.program} without -c and a command`, STARTS_DOCKERD);
  }
  const { word, origin } = script;
  const wordsWith = (variables: (name: string) => string | undefined): ReturnType<typeof shellCommand> => {
    try {
      return shellCommand(script.value, variables);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return fail(`has a command of a shell that is not simple (${redactSecrets(error.message)})`, STARTS_DOCKERD);
    }
  };
  const withoutExec = (all: readonly ShellWord[]): readonly ShellWord[] =>
    all[0]?.value === "exec" ? all.slice(1) : all;
  const [program, ...words] = withoutExec(wordsWith((name) => variableOf(name)?.value));
  if (program === undefined || !isDocker(program.value)) {
    return fail(`has a command of a shell that starts "${program?.value ?? ""}"`, STARTS_DOCKERD);
  }
  const args = words.map(({ value, variable }): Argument => {
    const from = variable === null ? undefined : line.variables.get(variable)?.origin;
    return { raw: value, value, word, origin: from ?? origin };
  });
  // Two values show whether the shell splits the variable, and where.
  const [, ...probed] = withoutExec(
    wordsWith((name) => (name === VARIABLE ? PROBE.join(" ") : variableOf(name)?.value)),
  );
  const at = probed.findIndex(({ value }, index) => value === PROBE[0] && probed[index + 1]?.value === PROBE[1]);
  const once = probed.filter(({ value }) => value.includes(PROBE[0])).length === 1;
  const count = splitFields(line.variables.get(VARIABLE)?.value ?? "").length;
  const splits: Split[] = at >= 0 && once ? [{ at, count, word, by: "shell" }] : [];
  return { ...line, program: program.value, args, splits, byShell: true };
}

const PROBE = ["@@1", "@@2"] as const;

/** Where arguments set these flags, as messages name the places. */
export function originsOf(args: readonly Argument[], flags: ReadonlySet<string>): readonly string[] {
  return [...new Set(wordsOfFlags(args, flags).map(({ origin }) => nameOrigin(origin)))];
}
