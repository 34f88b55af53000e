import { readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import * as assert from "uvu/assert";

/**
 * Holds a text against a file beside the test, byte for byte. `UPDATE_GOLDEN=1` writes the file anew: look at the
 * difference before it is kept.
 */
export function matchesGolden(text: string, path: string): void {
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, text);
  assert.fixture(text, readFileSync(path, "utf8"), `not as in ${relative(process.cwd(), path)}`);
}
