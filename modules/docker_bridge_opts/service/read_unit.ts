import { orNull } from "../../core/errors";
import { expandPattern, isPattern } from "../../core/glob";
import type { Host } from "../../core/host/host";
import { PROGRAM_DIRECTORIES } from "../../core/programs";
import { dropInsIn, readIfRegular, UNIT_DIRECTORIES } from "../../core/systemd_files";
import { splitAtEquals } from "../../core/text";
import { splitWords } from "../../formats/shell_words";
import { type Specifiers, unitSpecifiers } from "../../formats/systemd_expand";
import { listSettings, parseUnit, type TextFile } from "../../formats/systemd_unit";
import { HOST_NAME } from "../../net/own_host";
import { DROP_IN_PATH, NOTHING_WRITTEN, type UnitStart } from "./docker_service";
import { environmentPatterns, unitEnvironment } from "./environment";
import { DEFAULT_FILE, sharedTarget } from "./options_file";

/** The names of a unit by which its drop-ins are found: that of its file first, then its aliases. */
export function unitNames(fragment: string, aliases: readonly string[]): readonly [string, ...string[]] {
  const name = fragment.replace(/.*\//, "") || "docker.service";
  return [name, ...aliases.filter((alias) => alias !== name && alias !== "")];
}

/** The drop-ins that systemd will read for a unit with these names once it reloads, without this module's own. */
export function findDropIns(units: readonly string[], host: Host): string[] {
  // systemd looks in each directory for all of a unit's names before the next directory, and in service.d last.
  const own = UNIT_DIRECTORIES.flatMap((at) => units.flatMap(dropInDirectories).map((name) => `${at}/${name}`));
  const directories = [...own, ...UNIT_DIRECTORIES.map((at) => `${at}/service.d`)];
  return dropInsIn(directories, host).filter((path) => path !== DROP_IN_PATH);
}

/** For docker-ce.service systemd also reads docker-.service.d (systemd.unit(5)). */
function dropInDirectories(unit: string): string[] {
  const [, prefix = "", type = ""] = /^(.*)\.([^.]*)$/.exec(unit) ?? [];
  const parts = prefix.split("-");
  const shorter = parts.slice(1).map((_, index) => `${parts.slice(0, parts.length - 1 - index).join("-")}-.${type}.d`);
  return [`${unit}.d`, ...shorter];
}

/** The unit's own file that systemd will read once it reloads; null if there is none. */
function findUnitFile(unit: string, host: Host): string | null {
  const directory = UNIT_DIRECTORIES.find((each) => host.readdir(each).includes(unit));
  return directory === undefined ? null : `${directory}/${unit}`;
}

/**
 * Reads all files that decide how systemd starts the unit. `loaded`: the drop-ins that systemd has read; null if their files have
 * changed since.
 */
export function readUnit(
  fragment: string,
  loaded: readonly string[] | null,
  host: Host,
  aliases: readonly string[] = [],
): UnitStart {
  const names = unitNames(fragment, aliases);
  const [name] = names;
  const dropIns = loaded ?? findDropIns(names, host);
  const path = loaded === null ? (findUnitFile(name, host) ?? fragment) : fragment;
  const files = [path, ...dropIns.filter((each) => each !== DROP_IN_PATH)].map(
    (each): TextFile => ({ path: each, content: readIfRegular(each, host) }),
  );
  const specifiers = specifiersOf(name, files, host);
  const start: UnitStart = {
    files,
    environmentFiles: new Map(),
    sharedTargets: new Map(),
    specifiers,
    inherited: new Set(),
    isScript: false,
  };
  const environmentFiles = readEnvironmentFiles(start, host);
  const withFiles = { ...start, environmentFiles, sharedTargets: sharedTargetsOf(environmentFiles, host) };
  const [command = ""] = listSettings(parseUnit(files), "Service", "ExecStart").map(({ value }) => value);
  return { ...withFiles, inherited: inheritedBy(command, withFiles, host), isScript: isScript(command, host) };
}

/** With those that differ from host to host, where a file refers to one. */
function specifiersOf(name: string, files: readonly TextFile[], host: Host): Specifiers {
  if (!files.some(({ content }) => /%[HlvmbT]/.test(content))) return unitSpecifiers(name);
  const hostName = host.readText(HOST_NAME) ?? "";
  return new Map([
    ...unitSpecifiers(name),
    ["H", hostName],
    ["l", hostName.replace(/\..*/, "")],
    ["v", host.readText("/proc/sys/kernel/osrelease") ?? ""],
    ["m", host.readText("/etc/machine-id") ?? ""],
    ["b", (host.readText("/proc/sys/kernel/random/boot_id") ?? "").replace(/-/g, "")],
  ]);
}

function readEnvironmentFiles(start: UnitStart, host: Host): UnitStart["environmentFiles"] {
  const patterns = orNull(() => environmentPatterns(parseUnit(start.files), start.specifiers).map(({ path }) => path));
  return new Map(
    [...(patterns ?? []), DEFAULT_FILE].map((pattern) => [
      pattern,
      (isPattern(pattern) ? expandPattern(pattern, host) : [pattern]).flatMap((path) => {
        const file = host.readFile(path);
        return file === null ? [] : [{ path, content: file.content }];
      }),
    ]),
  );
}

/** Also of files that do not exist: a link may lead to where one would be written. */
function sharedTargetsOf(files: UnitStart["environmentFiles"], host: Host): ReadonlyMap<string, string> {
  const paths = [...files].flatMap(([pattern, found]) =>
    isPattern(pattern) ? found.map(({ path }) => path) : [pattern],
  );
  return new Map(
    paths.flatMap((path) => {
      const target = sharedTarget(path, host);
      return target === null ? [] : [[path, target] as const];
    }),
  );
}

/** Asks systemd for its own environment only where the command refers to a variable that the unit does not set. */
function inheritedBy(command: string, start: UnitStart, host: Host): ReadonlySet<string> {
  const used = [...command.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name = ""]) => name);
  const set = orNull(() => unitEnvironment(parseUnit(start.files), start, NOTHING_WRITTEN).variables);
  if (set === null || used.every((name) => set.has(name))) return new Set();
  const { stdout } = host.run(["systemctl", "show-environment"], { mayFail: true });
  const inherited = new Set(stdout.split("\n").map((row) => splitAtEquals(row)[0]));
  return new Set(used.filter((name) => !set.has(name) && inherited.has(name)));
}

function isScript(command: string, host: Host): boolean {
  const program = (splitWords(command)[0]?.value ?? "").replace(/^[-@:+!|]*/, "");
  // The unit's file may be gone while systemd still has it loaded.
  if (program === "") return false;
  const paths = program.startsWith("/") ? [program] : PROGRAM_DIRECTORIES.map((directory) => `${directory}/${program}`);
  return paths.some((path) => host.readStart(path, 2) === "#!");
}
