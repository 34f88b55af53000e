import { parseDockerFlags, withoutDockerFlags } from "./docker_flags";
import { type DockerFlags, meansTheSame } from "./docker_options";
import { type ShellAssignment, shellAssignments, shellValue, withoutAssignment, withShellValue } from "./shell_file";
import { splitWords } from "./shell_words";

/**
 * The content of a file that a shell sources with these flags in a variable set, or (without values) removed. A line that others
 * have written keeps all else: new flags go to a line that has some of these already, or to a new one after the last, so
 * that each owner finds its line as it has left it.
 */
export function withShellFlags(content: string, key: string, desired: DockerFlags): string {
  const before = flagsIn(content, key);
  const differing = new Map([...desired].filter(([name, values]) => !meansTheSame(name, before.get(name), values)));
  if (differing.size === 0) return content;
  const added = [...differing].flatMap(([name, values]) => values.map((value) => `--${name}=${value}`));
  const assignments = shellAssignments(content, key);
  const pieces = assignments.map(readSimple);
  const own = pieces.map((piece) => piece !== null && hasAny(piece.inner, desired)).lastIndexOf(true);
  let edited = content;
  // From the last to the first, so that the positions of those before stay right.
  for (let index = assignments.length - 1; index >= 0; index--) {
    const [assignment, piece] = [assignments[index], pieces[index]];
    if (!assignment || !piece) continue;
    const kept = withoutDockerFlags(piece.inner, new Set(differing.keys()));
    const inner = index === own ? [kept, ...added].filter((text) => text !== "").join(" ") : kept;
    if (inner !== piece.inner) edited = replaceValue(edited, assignment, piece, inner, key);
  }
  if (own < 0 && added.length > 0) edited = withLine(edited, key, added.join(" "));
  // What is written in another way than this can read is put together into one line.
  return sameFlags(flagsIn(edited, key), before, differing)
    ? edited
    : withShellValue(
        content,
        key,
        [withoutFlags(content, key, differing), ...added].filter((text) => text !== "").join(" "),
      );
}

function flagsIn(content: string, key: string): DockerFlags {
  return parseDockerFlags(splitWords(shellValue(content, key) ?? ""));
}

function withoutFlags(content: string, key: string, flags: DockerFlags): string {
  return withoutDockerFlags(shellValue(content, key) ?? "", new Set(flags.keys())).trim();
}

function hasAny(inner: string, flags: DockerFlags): boolean {
  return [...parseDockerFlags(splitWords(inner)).keys()].some((name) => flags.has(name));
}

function sameFlags(after: DockerFlags, before: DockerFlags, changed: DockerFlags): boolean {
  // Given twice, an option has its last value; that it is there twice would surprise whoever reads the file.
  if ([...changed].some(([name, values]) => (after.get(name) ?? []).length !== values.length)) return false;
  const expected = new Map([...before, ...changed]);
  return [...new Set([...after.keys(), ...expected.keys()])].every((name) =>
    meansTheSame(name, after.get(name), expected.get(name)),
  );
}

/** A value that is one quoted text or has no quotes, so that words in it can be replaced. */
interface Simple {
  readonly quote: string;
  readonly inner: string;
}

function readSimple({ raw }: ShellAssignment): Simple | null {
  const [, double, single] = /^(?:"([^"\\`]*)"|'([^']*)'|[^"'\\`\s]*)$/.exec(raw) ?? ["", undefined, undefined];
  if (double !== undefined) return { quote: '"', inner: double };
  if (single !== undefined) return { quote: "'", inner: single };
  return /^[^"'\\`\s]*$/.test(raw) ? { quote: "", inner: raw } : null;
}

function replaceValue(content: string, assignment: ShellAssignment, piece: Simple, inner: string, key: string): string {
  const isEmpty = inner.trim() === "" || new RegExp(`^\\$(${key}|\\{${key}\\})$`).test(inner.trim());
  if (isEmpty) return withoutAssignment(content, assignment);
  const quote = piece.quote === "" && /\s/.test(inner) ? '"' : piece.quote;
  return `${content.slice(0, assignment.start)}${key}=${quote}${inner}${quote}${content.slice(assignment.end)}`;
}

function withLine(content: string, key: string, flags: string): string {
  const all = shellAssignments(content, key);
  const last = all.at(-1);
  if (last === undefined || /^("\s*"|'\s*'|)$/.test(last.raw)) return withShellValue(content, key, flags);
  const newline = content.indexOf("\n", last.end);
  const [before, after] =
    newline < 0 ? [`${content}\n`, ""] : [content.slice(0, newline + 1), content.slice(newline + 1)];
  return `${before}${key}="$${key} ${flags}"\n${after}`;
}
