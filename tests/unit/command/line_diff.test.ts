import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { diffLines } from "../../../modules/command/line_diff";
import { forAll } from "../support/property";

const shown = (before: string, after: string): string[] =>
  diffLines(before, after).map(({ mark, text }) => `${mark}${text}`);

test("what is new, gone or another", () => {
  assert.equal(shown("", "a\nb\n"), ["+a", "+b"]);
  assert.equal(shown("a\nb\n", ""), ["-a", "-b"]);
  assert.equal(shown("a\nb\nc\n", "a\nB\nc\n"), [" a", "-b", "+B", " c"]);
  assert.equal(shown("a\n", "a\n"), []);
});

test("lines far from a change are left out, each stretch of them for one @@", () => {
  const lines = [..."abcdefghijklmnopqrst"];
  const text = (all: readonly string[]): string => all.map((line) => `${line}\n`).join("");
  const after = text(lines.map((line) => (line === "e" || line === "p" ? line.toUpperCase() : line)));
  assert.equal(shown(text(lines), after).join(""), " @@ b c d-e+E f g h @@ m n o-p+P q r s @@");
});

test("a last line that lacks its end is told from one that has it", () => {
  assert.equal(shown("a\nb", "a\nb\n"), [" a", "-b (no end of line)", "+b"]);
});

test("what is kept and gone is the first text, what is kept and new the second", () => {
  // So few lines that none is left out.
  const text = fc
    .array(fc.constantFrom("a", "b", "c", ""), { minLength: 0, maxLength: 4 })
    .map((lines) => lines.map((line) => `${line}\n`).join(""));
  forAll([text, text], (before, after) => {
    if (before === after) return;
    const without = (mark: string): string =>
      diffLines(before, after)
        .filter((line) => line.mark !== mark)
        .map((line) => `${line.text}\n`)
        .join("");
    assert.is(without("+"), before);
    assert.is(without("-"), after);
  });
});

test.run();
