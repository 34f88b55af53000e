import type { Action } from "../../core/change";
import { parseDockerWords } from "../../formats/docker_flags";
import { withShellValue } from "../../formats/shell_file";
import { DAEMON_RELOAD } from "../files";
import type { Previous } from "../observed";
import { type DockerService, DROP_IN_PATH } from "../service/docker_service";

/** What makes Docker start as it ran before, whatever its files give: the file that does it, and the steps. */
export interface StartAsBefore {
  readonly path: string;
  readonly actions: readonly Action[];
}

/**
 * The steps after which the service starts dockerd with the arguments that the previous one was started with; null where these
 * are not known, or can't be given to an init script.
 */
export function startAsBefore(
  { init, filePath, foreignTarget }: DockerService,
  { command, files }: Previous,
): StartAsBefore | null {
  if (command.length === 0) return null;
  if (init === "systemd") {
    const content = renderDropIn(command, files.find(({ path }) => path === DROP_IN_PATH)?.content ?? "");
    // Others need not read a command line that may have secrets.
    const write: Action = { do: "write", path: DROP_IN_PATH, content, mode: 0o600 };
    return { path: DROP_IN_PATH, actions: [write, DAEMON_RELOAD] };
  }
  const line = scriptOptions(command);
  if (line === null || foreignTarget !== null) return null;
  const file = files.find(({ path }) => path === filePath);
  // A shell takes the last assignment.
  const content = `${withNewline(file?.content ?? "")}${withShellValue("", "DOCKER_OPTS", line)}`;
  return { path: filePath, actions: [{ do: "write", path: filePath, content, mode: file?.mode ?? 0o644 }] };
}

/** What the present drop-in has Docker read stays, as it shows the next run where the options are. */
function renderDropIn(command: readonly string[], present: string): string {
  const settings = present.split("\n");
  const commands = settings.filter((line) => /^ExecStart=./.test(line));
  return [
    "# Ansible managed (docker_bridge_opts). Docker did not start with its new options: this is the command line that it had before.",
    "# The next run that sets Docker's options replaces it.",
    ...commands.map((line) => `# Here was: ${line}`),
    "[Service]",
    ...settings.filter((line) => /^EnvironmentFile=./.test(line)),
    "ExecStart=",
    `ExecStart=${command.map(forSystemd).join(" ")}`,
    "",
  ].join("\n");
}

/** Quoted and escaped, so that systemd passes the word as it is (systemd.service(5), systemd.syntax(7)). */
function forSystemd(word: string): string {
  const escaped = word
    .replace(/[\\"]/g, "\\$&")
    .replace(/[%$]/g, "$&$&")
    .replace(/[^\x20-\x7e\x80-\xff]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return /^[\w./:=,@+-]+$/.test(word) ? word : `"${escaped}"`;
}

/** What the scripts of Debian and of upstart's jobs give dockerd besides DOCKER_OPTS. */
const GIVEN_BY_SCRIPT = new Set(["daemon", "pidfile", "raw-logs"]);

/** DOCKER_OPTS that gives these options; null where a script can't pass them on, as it splits them at white space. */
function scriptOptions([, ...words]: readonly string[]): string | null {
  const flags = [...parseDockerWords(words)].filter(([name]) => !GIVEN_BY_SCRIPT.has(name));
  const options = flags.flatMap(([name, values]) => values.map((value) => `--${name}=${value}`));
  return options.some((option) => /[^\x21-\x7e]|["'\\$`*?[]/.test(option)) ? null : options.join(" ");
}

function withNewline(content: string): string {
  return content === "" || content.endsWith("\n") ? content : `${content}\n`;
}
