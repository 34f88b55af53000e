import { withoutByteOrderMark } from "../core/bytes";
/** A file that systemd reads, with one character per byte. */
export interface TextFile {
  readonly path: string;
  readonly content: string;
}

/** A setting in a unit's file or drop-in, and where it is. */
export interface UnitSetting {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  readonly path: string;
  /** The line that it begins in, from 1. */
  readonly line: number;
}

/**
 * The settings of a unit's file and its drop-ins, in that order, as systemd's config_parse() reads them (src/shared/conf-parser.c):
 * a line is continued if it ends with a backslash that is not itself escaped; comments are left out, also between such lines.
 */
export function parseUnit(files: readonly TextFile[]): UnitSetting[] {
  return files.flatMap(({ path, content }) => {
    const settings: UnitSetting[] = [];
    let section = "";
    for (const { text, line } of logicalLines(content)) {
      const heading = /^\[([\s\S]*)\]$/.exec(text)?.[1];
      const equals = text.indexOf("=");
      if (heading !== undefined) section = heading;
      else if (equals > 0) {
        const [key, value] = [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
        settings.push({ section, key, value, path, line });
      }
    }
    return settings;
  });
}

/** The settings that apply of a list, such as ExecStart: those after the last empty one, which resets the list. */
export function listSettings(settings: readonly UnitSetting[], section: string, key: string): readonly UnitSetting[] {
  const all = settings.filter((setting) => setting.section === section && setting.key === key);
  return all.slice(all.map(({ value }) => value === "").lastIndexOf(true) + 1);
}

interface LogicalLine {
  readonly text: string;
  readonly line: number;
}

function logicalLines(content: string): LogicalLine[] {
  const found: LogicalLine[] = [];
  let open: LogicalLine | null = null;
  withoutByteOrderMark(content)
    .split(/\r\n|\n\r|[\n\r\0]/)
    .forEach((raw, index) => {
      if (/^[ \t]*[#;]/.test(raw)) return;
      const { text, line }: LogicalLine = open
        ? { text: open.text + raw, line: open.line }
        : { text: raw, line: index + 1 };
      // The last of an odd number of backslashes escapes the end of the line.
      const continued = (/\\*$/.exec(text)?.[0].length ?? 0) % 2 === 1;
      open = continued ? { text: `${text.slice(0, -1)} `, line } : null;
      if (!continued) found.push({ text: text.trim(), line });
    });
  // systemd drops a line that is continued at the end of the file up to version 239, and reads it since.
  if (open) found.push({ text: (open as LogicalLine).text.trim(), line: (open as LogicalLine).line });
  return found.filter(({ text }) => text !== "");
}
