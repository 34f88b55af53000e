import { test } from "uvu";
import * as assert from "uvu/assert";
import { withRows } from "../../faults/report";

/** The table of faults in docs/reliability.md, which has other tables after it. */
const PAGE = [
  "| scenario | faults |",
  "| --- | --- |",
  "| bridge | 7 |",
  "",
  "| module | hosts |",
  "| --- | --- |",
  "| a | 1 |",
];

test("a known scenario's row is replaced, and a new one's comes at the end of the same table", () => {
  const page = withRows(PAGE.join("\n"), [
    ["bridge", "8"],
    ["network", "9"],
  ]);
  assert.equal(page.split("\n"), [...PAGE.slice(0, 2), "| bridge | 8 |", "| network | 9 |", ...PAGE.slice(3)]);
});

test.run();
