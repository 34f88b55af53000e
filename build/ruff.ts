import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Diagnostic, PositionEncoding, Workspace } from "@astral-sh/ruff-wasm-nodejs";

/** Lints the Python files and checks their format, by Ruff; `--write` formats them. Ruff's own program is not in Debian 12. */
const OPTIONS = {
  "line-length": 120,
  // ansible-core 2.14 runs on 3.9 and newer.
  "target-version": "py39",
  lint: {
    select: ["ANN", "B", "C4", "E", "F", "I", "PL", "RET", "RUF", "SIM", "UP", "W"],
    // For comments and strings, which the formatter does not break.
    pycodestyle: { "max-line-length": 132 },
    ignore: [
      "ANN401", // Ansible's data has no static types.
      "PLC0415", // The test server imports what a test calls.
      "PLR0913", // A filter's parameters come from a template.
      "PLR0917", // The same.
      "PLR2004", // Tens and hundreds of milliseconds need no names.
      "RUF001", // The report has typographic characters.
    ],
  },
};

const root = join(__dirname, "..");
const write = process.argv.includes("--write");
const ruff = new Workspace(OPTIONS, PositionEncoding.Utf16);
const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "*.py"];
const files = execFileSync("git", list, { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
let problems = 0;

for (const file of files) {
  const path = join(root, file);
  const text = readFileSync(path, "utf8");
  const formatted = ruff.format(text);
  if (formatted !== text && write) writeFileSync(path, formatted);
  else if (formatted !== text) report(`${file}: not formatted. Run npm run format.`);
  for (const { code, message, start_location: at } of ruff.check(write ? formatted : text) as Diagnostic[]) {
    report(`${file}:${at.row}:${at.column}: ${code ?? "syntax"} ${message}`);
  }
}
if (problems > 0) process.exit(1);

function report(line: string): void {
  console.error(line);
  problems++;
}
