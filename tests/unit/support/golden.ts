import { readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import * as assert from "uvu/assert";

/** Compares a text with a file next to the test. `UPDATE_GOLDEN=1` writes the file instead: review the difference. */
export function matchesGolden(text: string, path: string): void {
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, text);
  assert.fixture(text, readFileSync(path, "utf8"), `not as in ${relative(process.cwd(), path)}`);
}
