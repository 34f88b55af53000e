import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { fromAnsibleMarkup, tableRow } from "../../build/markdown";
import { MODULES } from "../../build/modules";
import { renderModules } from "../../build/modules_page";

test("docs/modules.md is what `npm run build` makes", () => {
  assert.is(readFileSync(join(__dirname, "../../docs/modules.md"), "utf8"), renderModules(MODULES));
});

test("ansible-doc's markup becomes Markdown's, and a bar in a cell does not end it", () => {
  assert.is(fromAnsibleMarkup("With I(state=absent), C(a), not ABC(d)."), "With `state=absent`, `a`, not ABC(d).");
  assert.is(tableRow(["a|b", ""]), "| a\\|b |  |\n");
});

test.run();
