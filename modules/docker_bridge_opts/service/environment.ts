import { UserError } from "../../core/errors";
import { isPattern } from "../../core/glob";
import { environmentVariables } from "../../formats/environment_file";
import { expandSpecifiers, type Specifiers } from "../../formats/systemd_expand";
import { listSettings, type TextFile, type UnitSetting } from "../../formats/systemd_unit";
import { systemdWords } from "../../formats/systemd_words";
import { nameOrigin, type Origin, type UnitStart, type Written } from "./docker_service";

/** A variable of dockerd's environment. */
export interface Variable {
  readonly value: string;
  readonly origin: Origin;
  /** Whether a file sets it, rather than Environment=. */
  readonly inFile: boolean;
  /** Why it is not known what systemd passes, and what to do about it; null if it is. */
  readonly doubt: Doubt | null;
}

interface Doubt {
  readonly why: string;
  readonly remedy: string;
}

const COMMENT: Doubt = {
  why: "which systemd reads in another way from version 254 on",
  remedy: "Remove the backslash at the end of the comment above it.",
};

/** The environment that the unit sets. */
export interface UnitEnvironment {
  /** Without those that UnsetEnvironment= removes. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** The UnsetEnvironment= by which each of the others is removed. */
  readonly removedBy: ReadonlyMap<string, UnitSetting>;
}

/** An EnvironmentFile= with specifiers expanded. */
export interface EnvironmentPattern {
  readonly path: string;
  /** Whether systemd starts the service without it. */
  readonly optional: boolean;
  readonly setting: UnitSetting;
}

/** The unit's EnvironmentFile= settings, in order; what is not an absolute path is ignored. */
export function environmentPatterns(settings: readonly UnitSetting[], specifiers: Specifiers): EnvironmentPattern[] {
  return listSettings(settings, "Service", "EnvironmentFile")
    .map((setting) => {
      const [, dash, written = ""] = /^(-?)(.*)$/s.exec(setting.value) ?? [];
      const path = expandKnown(written, setting, specifiers).replace(/\/+/g, "/");
      return { path, optional: dash === "-", setting };
    })
    .filter(({ path }) => path.startsWith("/"));
}

/** As systemd.exec(5) says: Environment=, then each EnvironmentFile=, the last one counting, then UnsetEnvironment=. */
export function unitEnvironment(
  settings: readonly UnitSetting[],
  { specifiers, environmentFiles }: UnitStart,
  written: Written,
): UnitEnvironment {
  const variables = new Map<string, Variable>();
  const removedBy = new Map<string, UnitSetting>();
  for (const setting of listSettings(settings, "Service", "Environment")) {
    for (const { value: word } of systemdWords(setting.value, "strict").words) {
      const { text, unknown } = expandSpecifiers(word, specifiers);
      const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(text) ?? [];
      if (name === undefined || value === undefined) continue;
      const origin = { path: setting.path, line: setting.line, variable: name };
      // systemd ignores the assignment if it has no such specifier either.
      const doubt =
        unknown.length === 0
          ? null
          : { why: `whose value has the specifier %${unknown[0]}`, remedy: WITHOUT_SPECIFIER };
      variables.set(name, { value, origin, inFile: false, doubt });
    }
  }
  for (const { path } of environmentPatterns(settings, specifiers)) {
    for (const file of filesOf(path, environmentFiles, written)) {
      for (const [name, { value, line, doubtful }] of environmentVariables(file.content) ?? []) {
        variables.set(name, {
          value,
          origin: { path: file.path, line, variable: name },
          inFile: true,
          doubt: doubtful ? COMMENT : null,
        });
      }
    }
  }
  for (const setting of listSettings(settings, "Service", "UnsetEnvironment")) {
    for (const { value: word } of systemdWords(setting.value, "strict").words) {
      const [, name = "", only] = /^([^=]*)(?:=([\s\S]*))?$/.exec(expandKnown(word, setting, specifiers)) ?? [];
      const value = variables.get(name)?.value;
      if (value === undefined || value !== (only ?? value)) continue;
      variables.delete(name);
      removedBy.set(name, setting);
    }
  }
  return { variables, removedBy };
}

/** The files that an EnvironmentFile= stands for once what is planned is written. */
export function filesOf(path: string, read: UnitStart["environmentFiles"], written: Written): readonly TextFile[] {
  const known = read.get(path) ?? [];
  const planned = isPattern(path) ? undefined : written.files.get(path);
  if (planned !== undefined) return planned === null ? [] : [{ path, content: planned }];
  return known.flatMap((file) => {
    const content = written.files.get(file.path);
    return content === null ? [] : [{ path: file.path, content: content ?? file.content }];
  });
}

const WITHOUT_SPECIFIER = "Write its value instead, or %% for a percent sign.";

/** Throws a UserError for a specifier whose value is not known here. */
export function expandKnown(text: string, { path, line, key }: UnitSetting, specifiers: Specifiers): string {
  const { text: expanded, unknown } = expandSpecifiers(text, specifiers);
  if (unknown.length === 0) return expanded;
  throw new UserError(
    `${path}, line ${line}: ${key}= must show dockerd's arguments (found the specifier %${unknown[0]}). ${WITHOUT_SPECIFIER}`,
  );
}

/** Throws a UserError if systemd would not start the unit, as a file is missing or can't be read. */
export function requireEnvironmentFiles(settings: readonly UnitSetting[], start: UnitStart, written: Written): void {
  for (const { path, optional, setting } of environmentPatterns(settings, start.specifiers)) {
    if (optional) continue;
    const files = filesOf(path, start.environmentFiles, written);
    const unreadable = files.find(({ content }) => environmentVariables(content) === null);
    if (files.length > 0 && unreadable === undefined) continue;
    const what = unreadable === undefined ? `${path} does not exist` : `${unreadable.path} has a NUL or is not UTF-8`;
    throw new UserError(
      `${nameOrigin({ ...setting, variable: null })}: EnvironmentFile= must be readable, or systemd does not start Docker (found that ${what}). ` +
        `${unreadable === undefined ? "Create" : "Correct"} it, or write EnvironmentFile=-${path}.`,
    );
  }
}
