/** A row of a table in Markdown; bars in a cell are escaped. */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
}

/** The first two lines of a table, with the names of its columns. */
export function tableHead(columns: readonly string[]): string {
  return tableRow(columns) + tableRow(columns.map(() => "---"));
}

/** An option's default as code; empty if it has none. */
export function defaultValue(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" && value !== "" ? `\`${value}\`` : `\`${JSON.stringify(value)}\``;
}

/** Converts ansible-doc's markup (C(code), I(option), M(module)) to Markdown. */
export function fromAnsibleMarkup(text: string): string {
  return text.replace(/\b[CIM]\(([^)]*)\)/g, "`$1`");
}
