/**
 * Takes the files of a systemd unit, its drop-ins behind it in their order, and a setting such as Service, ExecStart.
 * Returns the setting's values, as they are written but with continued lines joined; an empty one takes back those before
 * it (systemd.syntax(7), systemd.service(5)).
 */
export function unitSettings(contents: readonly string[], section: string, key: string): readonly string[] {
  let found: string[] = [];
  for (const content of contents) {
    let current = "";
    for (const line of logicalLines(content)) {
      const [, heading] = /^\[(.*)\]\s*$/.exec(line) ?? [];
      const [, name, value = ""] = /^([^=]+?)\s*=\s*(.*?)\s*$/s.exec(line) ?? [];
      if (heading !== undefined) current = heading;
      else if (current === section && name === key) found = value === "" ? [] : [...found, value];
    }
  }
  return found;
}

/** Comments, within a continued line too, are left out. */
function logicalLines(content: string): string[] {
  const lines: string[] = [];
  let open = false;
  for (const raw of content.split(/\r?\n/)) {
    const line = raw.trimStart();
    if (/^[#;]/.test(line) || (line === "" && !open)) continue;
    const text = line.replace(/\\$/, " ");
    if (open) lines.push(`${lines.pop() ?? ""}${text}`);
    else lines.push(text);
    open = line.endsWith("\\");
  }
  return lines;
}
