import type { Action } from "../../core/change";
import { DAEMON_RELOAD } from "../../core/systemctl";
import { parseDockerWords } from "../../formats/docker_flags";
import { withShellValue } from "../../formats/shell_file";
import { listSettings, parseUnit } from "../../formats/systemd_unit";
import { execProgram, execWord } from "../../formats/systemd_words";
import type { SavedConfiguration } from "../observed";
import { VARIABLE } from "../service/command_line";
import { type DockerService, DROP_IN_PATH, type UnitStart } from "../service/docker_service";

/** What makes Docker start as it ran before, whatever its files give: the file that does it, and the steps. */
export interface PreviousCommand {
  readonly path: string;
  readonly actions: readonly Action[];
}

/**
 * The steps after which the service starts dockerd with the arguments that the previous one was started with; null if these
 * are not known, or can't be given to systemd or an init script.
 */
export function restorePreviousCommand(
  { init, unit, filePath, sharedTarget }: DockerService,
  { command, files }: SavedConfiguration,
): PreviousCommand | null {
  const [path = "", ...args] = command;
  const program = execProgram(path);
  if (program === null) return null;
  if (init === "systemd") {
    const present = files.find(({ path }) => path === DROP_IN_PATH)?.content ?? "";
    const content = renderDropIn([program, ...args.map(execWord)], present, unit === null ? NO_RESETS : resetsOf(unit));
    // Others need not read a command line that may have secrets.
    const write: Action = { do: "write", path: DROP_IN_PATH, content, mode: 0o600 };
    return { path: DROP_IN_PATH, actions: [write, DAEMON_RELOAD] };
  }
  const line = scriptOptions(command);
  if (line === null || sharedTarget !== null) return null;
  const file = files.find(({ path }) => path === filePath);
  // A shell takes the last assignment.
  const content = `${withNewline(file?.content ?? "")}${withShellValue("", VARIABLE, line)}`;
  return { path: filePath, actions: [{ do: "write", path: filePath, content, mode: file?.mode ?? 0o644 }] };
}

/** `command` is as systemd reads it. What the present drop-in has Docker read stays, as it shows the next run where the options are. */
function renderDropIn(command: readonly string[], present: string, { unit, service }: Resets): string {
  const settings = present.split("\n");
  const commands = settings.filter((line) => /^ExecStart=./.test(line));
  return [
    "# Ansible managed (docker_bridge_opts). Docker did not start with its new options: this is the command line that it had before.",
    "# The next run that sets Docker's options replaces it.",
    ...commands.map((line) => `# It replaces: ${line}`),
    ...(unit.length > 0 ? ["[Unit]", ...unit] : []),
    "[Service]",
    ...settings.filter((line) => /^EnvironmentFile=./.test(line)),
    ...service,
    "ExecStart=",
    `ExecStart=${command.join(" ")}`,
    "",
  ].join("\n");
}

/** Settings, by section, that undo those of the unit which may keep it from starting whatever its command line is. */
interface Resets {
  readonly unit: readonly string[];
  readonly service: readonly string[];
}

const NO_RESETS: Resets = { unit: [], service: [] };
/** dockerd runs as root in the host's own root directory; an empty value resets these (systemd.exec(5)). */
const RESET = "User Group SupplementaryGroups WorkingDirectory RootDirectory RootImage ExecCondition".split(" ");

/** Conditions and users are reset; the commands besides ExecStart= are run, but may fail. */
function resetsOf({ files }: UnitStart): Resets {
  const settings = parseUnit(files);
  const valuesOf = (key: string): string[] => listSettings(settings, "Service", key).map(({ value }) => value);
  const commands = ["ExecStartPre", "ExecStartPost"].flatMap((key) => {
    const values = valuesOf(key);
    return values.length === 0 ? [] : [`${key}=`, ...values.map((value) => `${key}=${mayFail(value)}`)];
  });
  const conditions = ["Condition", "Assert"].filter((kind) =>
    settings.some(({ section, key }) => section === "Unit" && key.startsWith(kind)),
  );
  return {
    // An empty one resets those of all kinds (systemd.unit(5)).
    unit: conditions.map((kind) => `${kind}PathExists=`),
    service: [...RESET.filter((key) => valuesOf(key).length > 0).map((key) => `${key}=`), ...commands],
  };
}

/** A command with "-" among systemd's prefixes (systemd.service(5), "Command lines"). */
function mayFail(command: string): string {
  return `-${command.replace(/^[-@:+!|]*/, (prefixes) => prefixes.replace(/-/g, ""))}`;
}

/** What the scripts of Debian and of upstart's jobs give dockerd besides DOCKER_OPTS. */
const GIVEN_BY_SCRIPT = new Set(["daemon", "pidfile", "raw-logs"]);

/** DOCKER_OPTS that gives these options; null if a script can't pass them on, as it splits them at white space. */
function scriptOptions([, ...words]: readonly string[]): string | null {
  const flags = [...parseDockerWords(words)].filter(([name]) => !GIVEN_BY_SCRIPT.has(name));
  const options = flags.flatMap(([name, values]) => values.map((value) => `--${name}=${value}`));
  return options.some((option) => /[^\x21-\x7e]|["'\\$`*?[]/.test(option)) ? null : options.join(" ");
}

function withNewline(content: string): string {
  return content === "" || content.endsWith("\n") ? content : `${content}\n`;
}
