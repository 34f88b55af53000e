import { withoutByteOrderMark } from "../core/bytes";
import { UserError } from "../core/errors";
import { asciiJson, isObject } from "../core/json";
import { jsonErrorPosition, lineOf } from "../core/text";
import {
  type DockerFlags,
  flagOf,
  flagValues,
  hasNoEffect,
  jsonValue,
  keyOf,
  kindOfKey,
  meansTheSame,
} from "./docker_options";

/** A key of the file's object with its value, and their positions in the text. */
interface Member {
  readonly key: string;
  readonly value: unknown;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/** The keys of daemon.json with their values. Throws a UserError if the text is not a JSON object; an empty text has no keys. */
export function daemonKeys(content: string): ReadonlyMap<string, unknown> {
  return new Map(members(content).map(({ key, value }) => [key, value]));
}

/**
 * The keys with which dockerd compares its flags: those in an object count as if they were outside of it, as with proxies, unless that
 * is an option's value (moby, daemon/config/config.go, configValuesSet and flatOptions).
 */
export function comparedKeys(content: string): ReadonlyMap<string, unknown> {
  return new Map(
    [...daemonKeys(content)].flatMap(([key, value]) =>
      isObject(value) && !["map", "structured"].includes(kindOfKey(key) ?? "") && key !== "builder"
        ? Object.entries(value)
        : [[key, value] as const],
    ),
  );
}

/**
 * The numbers that are not written as whole ones, by their keys: none of dockerd's options takes 1450.0 or 1e3 (Go's encoding/json).
 * A runtime's own may.
 */
export function nonIntegers(content: string): ReadonlyMap<string, string> {
  return new Map(
    members(content).flatMap(({ key, valueStart, end }) => {
      const numbers = content.slice(valueStart, end).replace(/"(?:\\.|[^"\\])*"/g, '""');
      const [found] = /-?\d+[.eE][\d.eE+-]*/.exec(numbers) ?? [];
      return found === undefined || key === "runtimes" ? [] : [[key, found] as const];
    }),
  );
}

/** The options in daemon.json by their flags' names, without those that can't be written as a flag. */
export function daemonOptions(content: string): DockerFlags {
  return new Map(
    [...daemonKeys(content)].flatMap(([key, value]) => {
      const values = flagValues(key, value);
      return values === null || hasNoEffect(key) ? [] : [[flagOf(key), values] as const];
    }),
  );
}

/**
 * The content of daemon.json with these options, by their flags' names, set or (without values) removed. The rest of the text
 * is kept: a value is replaced in place, a new key is added after the last one in the file's own layout, and a value with
 * the same meaning is not touched. Throws a UserError if an option can't be written in daemon.json.
 */
export function withDaemonOptions(content: string, desired: DockerFlags): string {
  return [...desired].reduce((text, [flag, values]) => withOption(text, flag, values), content);
}

function withOption(content: string, flag: string, values: readonly string[]): string {
  const all = members(content);
  const present = all.filter(({ key }) => flagOf(key) === flag && !hasNoEffect(key)).at(-1);
  if (values.length === 0) return present ? withOption(withoutMember(content, all, present), flag, []) : content;
  const now = present && flagValues(present.key, present.value);
  if (now && meansTheSame(flag, now, values)) return content;
  const key = present?.key ?? keyOf(flag, values);
  const value = jsonValue(key, values);
  if (value === undefined) {
    throw new UserError(
      `--${flag}: can't be written in daemon.json by this module (found ${values.join(",")}). Set it there by hand and run again.`,
    );
  }
  if (present) {
    const text = render(value, content.slice(present.valueStart, present.end));
    return content.slice(0, present.valueStart) + text + content.slice(present.end);
  }
  return withMember(content, all, key, value);
}

function withoutMember(content: string, all: readonly Member[], member: Member): string {
  const index = all.indexOf(member);
  const [before, after] = [all[index - 1], all[index + 1]];
  if (after) return content.slice(0, member.start) + content.slice(after.start);
  if (before) return content.slice(0, before.end) + content.slice(member.end);
  return content.replace(/\{[\s\S]*\}/, "{}");
}

function withMember(content: string, all: readonly Member[], key: string, value: unknown): string {
  const last = all.at(-1);
  if (!last) {
    const object = `{\n  ${asciiJson(key)}: ${render(value)}\n}`;
    return /\S/.test(content) ? content.replace(/\{\s*\}/, () => object) : `${object}\n`;
  }
  const colon = /^"(?:\\.|[^"\\])*"(\s*:\s*)/.exec(content.slice(last.start))?.[1] ?? ": ";
  const lead = /\s*$/.exec(content.slice(0, last.start))?.[0] || (colon.endsWith(" ") ? " " : "");
  return `${content.slice(0, last.end)},${lead}${asciiJson(key)}${colon}${render(value)}${content.slice(last.end)}`;
}

/** A list is written on several lines if it was before. */
function render(value: unknown, before = ""): string {
  if (!Array.isArray(value)) return asciiJson(value);
  const elements = value.map(asciiJson);
  const [, open, close] = /^\[(\s*\n\s*)[\s\S]*?(\s*)\]$/.exec(before) ?? [];
  return open === undefined
    ? `[${elements.join(", ")}]`
    : `[${elements.map((element) => open + element).join(",")}${close}]`;
}

function members(content: string): Member[] {
  if (!/\S/.test(withoutByteOrderMark(content))) return [];
  const object = parse(content);
  const found: Member[] = [];
  const token = /"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g;
  let [depth, start, valueStart, end, key] = [0, -1, -1, -1, ""];
  for (let match = token.exec(content); match; match = token.exec(content)) {
    const [text] = match;
    if (depth === 1 && (text === "," || text === "}") && start >= 0) {
      found.push({ key, value: object[key], start, valueStart, end });
      start = valueStart = -1;
    } else if (depth === 1 && start < 0 && text !== "}") {
      [start, key] = [match.index, JSON.parse(text) as string];
    } else if (depth >= 1 && valueStart < 0 && text !== ":") {
      valueStart = match.index;
    }
    if (text === "{" || text === "[") depth++;
    if (text === "}" || text === "]") depth--;
    end = match.index + text.length;
  }
  return found;
}

/** Whether the content begins with a byte order mark, as Windows' editors write it. Docker skips it from version 23.0 on. */
export function hasByteOrderMark(content: string): boolean {
  return withoutByteOrderMark(content) !== content;
}

function parse(content: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(withoutByteOrderMark(content));
  } catch (error) {
    throw notAnObject(findError(withoutByteOrderMark(content), error));
  }
  if (!isObject(value)) throw notAnObject("another value");
  return value;
}

function notAnObject(found: string): UserError {
  return new UserError(`must be one JSON object (found ${found}). Correct it and run again.`);
}

/** Where the error is. Node's message quotes the text, which may contain secrets. */
function findError(content: string, error: unknown): string {
  const position = jsonErrorPosition(error);
  if (position === null) return "text that is not JSON";
  const before = content.slice(0, position);
  const line = lineOf(content, position);
  // dockerd itself ignores such text in some versions.
  return isJson(before) ? `more text after it, in line ${line}` : `an error in line ${line}`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
