/** Takes the cells of a row; returns it as Markdown, where a cell's own bars are no borders. */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
}

/** Takes the names of the columns; returns the first two lines of a table. */
export function tableHead(columns: readonly string[]): string {
  return tableRow(columns) + tableRow(columns.map(() => "---"));
}

/** Takes a default of an option; returns it as code, or nothing where there is none. */
export function defaultValue(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" && value !== "" ? `\`${value}\`` : `\`${JSON.stringify(value)}\``;
}

/** Takes a text in ansible-doc's markup (C(code), I(option)); returns it as Markdown. */
export function fromAnsibleMarkup(text: string): string {
  return text.replace(/\b[CI]\(([^)]*)\)/g, "`$1`");
}
