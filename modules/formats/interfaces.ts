import { basename, dirname, resolve } from "node:path";
import { UserError } from "../core/errors";
import { matchesPattern } from "../core/glob";

/** A step of a stanza: when ifupdown runs it, and the shell command. */
export interface Step {
  readonly phase: "pre-up" | "post-up" | "pre-down" | "post-down";
  readonly command: string;
}

/**
 * Renders an interfaces(5) file of one interface that only its steps configure. Throws a UserError for text that can't be
 * written in one line.
 */
export function renderManualInterface(stanza: { comment: string; name: string; steps: readonly Step[] }): string {
  const { comment, name, steps } = stanza;
  const lines = [
    `# ${comment}`,
    `auto ${name}`,
    `iface ${name} inet manual`,
    ...steps.map(({ phase, command }) => `  ${phase} ${command}`),
  ];
  return lines.map((text) => `${line(text)}\n`).join("");
}

/** A line of interfaces(5) ends at a newline and continues after a backslash; neither can be quoted. */
function line(text: string): string {
  if (/\p{Cc}|\\$/u.test(text)) {
    throw new UserError(
      `a line must not have control characters or a backslash at its end (found ${JSON.stringify(text)}). Remove them and run again.`,
    );
  }
  return text;
}

/**
 * Whether ifupdown, reading /etc/network/interfaces with this content, reads the file at `path` too: by a `source` line
 * whose pattern matches it, or by `source-directory`, which reads only names of letters, digits, "-" and "_".
 */
export function readsFile(content: string, path: string): boolean {
  return numberedDirectives(content).some(({ words }) => {
    const { files, directories } = sourcesOf(words, INTERFACES);
    const inDirectory = IN_DIRECTORY.test(basename(path)) ? directories : [];
    return (
      files.some((pattern) => matchesPattern(pattern, path)) ||
      inDirectory.some((pattern) => matchesPattern(pattern, dirname(path)))
    );
  });
}

/** Read by Debian's networking.service at boot. */
export const INTERFACES = "/etc/network/interfaces";

/** The names that `source-directory` reads. */
export const IN_DIRECTORY = /^[A-Za-z0-9_-]+$/;

/**
 * The patterns of the files, or of the directories with files, that a line of a file has ifupdown read too. A relative one is in that
 * file's directory (read_interfaces_defn() in ifupdown's config.c).
 */
export function sourcesOf([keyword = "", ...paths]: readonly string[], file: string) {
  // Only the first one is put after the directory.
  const patterns = paths.map((path, index) => resolve(index === 0 ? dirname(file) : "/", path));
  return {
    files: keyword === "source" ? patterns : [],
    directories: keyword.startsWith("source-dir") ? patterns : [],
  };
}

const MARK = "# Added by Ansible's weave_bridge, which removes both lines with the bridge.";

/**
 * The content of /etc/network/interfaces with a `source` line for `pattern`. It is added at the beginning, where Debian has such
 * a line and where it can be removed to the byte, whatever the content ends with.
 */
export function withSource(content: string, pattern: string): string {
  return `${MARK}\nsource ${pattern}\n${content}`;
}

/**
 * The content of /etc/network/interfaces without the `source` line for `pattern` that `withSource` added, also among lines
 * for other bridges.
 */
export function withoutSource(content: string, pattern: string): string {
  const lines = content.split("\n");
  for (let at = 0; lines[at] === MARK; at += 2) {
    if (lines[at + 1] === `source ${pattern}`) return [...lines.slice(0, at), ...lines.slice(at + 2)].join("\n");
  }
  return content;
}

/** A line of interfaces(5), continued ones joined: its number from 1, and its words. */
export interface Directive {
  readonly line: number;
  readonly words: readonly string[];
}

/**
 * As get_line() in ifupdown's config.c: a backslash continues a line, but not a comment; the text that it continues with is not a
 * comment.
 */
export function numberedDirectives(content: string): readonly Directive[] {
  const lines = content.split("\n");
  const found: Directive[] = [];
  for (let next = 0; next < lines.length; ) {
    const line = next + 1;
    let text = lines[next++]?.trimStart() ?? "";
    if (text.startsWith("#")) continue;
    while (text.endsWith("\\")) text = text.slice(0, -1) + (lines[next++] ?? "");
    found.push({ line, words: text.trimEnd().split(/\s+/) });
  }
  return found;
}
