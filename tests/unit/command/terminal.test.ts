import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { diffLines, paintFor, plain, renderResult } from "../../../modules/command/terminal";
import type { Result } from "../../../modules/core/run_module";
import { forAll } from "../support/property";

const RUN = { check: false, diff: true };
const CHECK = { check: true, diff: true };
const MTU: Result = {
  changed: true,
  changes: ["bridge weave: mtu"],
  diff: [{ before_header: "bridge weave: mtu", after_header: "bridge weave: mtu", before: "1500\n", after: "1450\n" }],
};

test("a diff, its disruptions, and the outcome, which differs in a check", () => {
  const result = { ...MTU, disruptions: ["the router"] };
  const diff = "bridge weave: mtu\n  - 1500\n  + 1450\n\n";
  assert.is(renderResult(result, RUN, plain), `${diff}interrupts the router\nchanged\n`);
  assert.is(renderResult(result, CHECK, plain), `${diff}would interrupt the router\nwould change\n`);
});

test("without a diff, the names of the changes", () => {
  const { diff: _, ...result } = MTU;
  assert.is(renderResult(result, { check: false, diff: false }, plain), "bridge weave: mtu\nchanged\n");
  assert.is(renderResult({ changed: false }, RUN, plain), "ok: nothing to change\n");
});

test("a pending change is not a change of this run", () => {
  const pending = { changed: true, changes: ["running dockerd"], pending: ["a restart of Docker"] };
  assert.is(
    renderResult(pending, RUN, plain),
    "running dockerd\npending: a restart of Docker\nok: nothing to change except what is pending\n",
  );
  const both = { ...pending, changes: ["/etc/default/docker", "running dockerd"] };
  assert.match(renderResult(both, CHECK, plain), /would be pending: a restart of Docker\nwould change\n$/);
});

test("a failure shows the changes made before it, and no outcome", () => {
  assert.is(renderResult({ ...MTU, failed: true }, RUN, plain), "bridge weave: mtu\n  - 1500\n  + 1450\n\n");
  assert.is(renderResult({ failed: true, changed: false }, RUN, plain), "");
});

test("colours only on a terminal that has them", () => {
  const colourful = paintFor({ isTTY: true, hasColors: () => true });
  assert.match(renderResult(MTU, RUN, colourful), "\x1b[31m  - 1500\x1b[39m\n\x1b[32m  + 1450\x1b[39m\n");
  assert.is(paintFor({ isTTY: true, hasColors: () => false }), plain);
  assert.is(paintFor({ isTTY: false, hasColors: () => true }), plain);
});

const diffed = (before: string, after: string): string[] =>
  diffLines(before, after).map(({ mark, text }) => `${mark}${text}`);

test("added, removed and changed lines", () => {
  assert.equal(diffed("", "a\nb\n"), ["+a", "+b"]);
  assert.equal(diffed("a\nb\n", ""), ["-a", "-b"]);
  assert.equal(diffed("a\nb\nc\n", "a\nB\nc\n"), [" a", "-b", "+B", " c"]);
  assert.equal(diffed("a\n", "a\n"), []);
});

test("lines far from a change are left out, one @@ for each stretch", () => {
  const lines = [..."abcdefghijklmnopqrst"];
  const text = (all: readonly string[]): string => all.map((line) => `${line}\n`).join("");
  const after = text(lines.map((line) => (line === "e" || line === "p" ? line.toUpperCase() : line)));
  assert.equal(diffed(text(lines), after).join(""), " @@ b c d-e+E f g h @@ m n o-p+P q r s @@");
});

test("a last line without a line end differs from one with it", () => {
  assert.equal(diffed("a\nb", "a\nb\n"), [" a", "-b (no end of line)", "+b"]);
});

test("common and removed lines are the first text, common and added lines the second", () => {
  // Few enough lines that none is left out.
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
