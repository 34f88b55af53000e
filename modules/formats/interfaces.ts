import { basename, dirname } from "node:path";
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
  return directives(content).some(([keyword, ...patterns]) => {
    if (keyword === "source") return patterns.some((pattern) => matchesPattern(absolute(pattern), path));
    if (keyword !== "source-directory" || !/^[A-Za-z0-9_-]+$/.test(basename(path))) return false;
    return patterns.some((pattern) => matchesPattern(absolute(pattern).replace(/\/$/, ""), dirname(path)));
  });
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
 * The content of /etc/network/interfaces without the `source` line for `pattern` that `withSource` added, alone or among lines
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

/** As ifupdown's get_line(): a backslash continues a line, but not a comment. */
export function numberedDirectives(content: string): readonly Directive[] {
  const found: { line: number; text: string }[] = [];
  let open = false;
  content.split("\n").forEach((text, index) => {
    if (/^\s*#/.test(text)) return;
    const previous = open ? found.pop() : undefined;
    open = text.endsWith("\\");
    const own = open ? text.slice(0, -1) : text;
    found.push(previous ? { line: previous.line, text: previous.text + own } : { line: index + 1, text: own });
  });
  return found.map(({ line, text }) => ({ line, words: text.trim().split(/\s+/) }));
}

function directives(content: string): (readonly string[])[] {
  return numberedDirectives(content).map(({ words }) => words);
}

/** A path of a `source` line, which is relative to /etc/network. */
export function absolute(path: string): string {
  return path.startsWith("/") ? path : `/etc/network/${path}`;
}
