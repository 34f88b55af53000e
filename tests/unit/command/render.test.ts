import { test } from "uvu";
import * as assert from "uvu/assert";
import { paintFor, plain } from "../../../modules/command/paint";
import { renderResult } from "../../../modules/command/render";
import type { Result } from "../../../modules/core/run_module";

const RUN = { check: false, diff: true };
const CHECK = { check: true, diff: true };
const MTU: Result = {
  changed: true,
  changes: ["bridge weave: mtu"],
  diff: [{ before_header: "bridge weave: mtu", after_header: "bridge weave: mtu", before: "1500\n", after: "1450\n" }],
};

test("a diff, what it interrupts, and the outcome, which is another for a check", () => {
  const result = { ...MTU, disruptions: ["the router"] };
  const diff = "bridge weave: mtu\n  - 1500\n  + 1450\n\n";
  assert.is(renderResult(result, RUN, plain), `${diff}interrupts the router\nchanged\n`);
  assert.is(renderResult(result, CHECK, plain), `${diff}would interrupt the router\nwould change\n`);
});

test("without a diff the names of what changes", () => {
  const { diff: _, ...result } = MTU;
  assert.is(renderResult(result, { check: false, diff: false }, plain), "bridge weave: mtu\nchanged\n");
  assert.is(renderResult({ changed: false }, RUN, plain), "ok: nothing to change\n");
});

test("what is owed is no change of this run", () => {
  const owed = { changed: true, changes: ["dockerd, as it runs"], pending: ["a restart of Docker"] };
  assert.is(
    renderResult(owed, RUN, plain),
    "dockerd, as it runs\nowes a restart of Docker\nok: nothing to change but what is owed\n",
  );
  const both = { ...owed, changes: ["/etc/default/docker", "dockerd, as it runs"] };
  assert.match(renderResult(both, CHECK, plain), /would owe a restart of Docker\nwould change\n$/);
});

test("a failure shows what was done before it, and no outcome", () => {
  assert.is(renderResult({ ...MTU, failed: true }, RUN, plain), "bridge weave: mtu\n  - 1500\n  + 1450\n\n");
  assert.is(renderResult({ failed: true, changed: false }, RUN, plain), "");
});

test("colours on a terminal that has them alone", () => {
  const colourful = paintFor({ isTTY: true, hasColors: () => true });
  assert.match(renderResult(MTU, RUN, colourful), "\x1b[31m  - 1500\x1b[39m\n\x1b[32m  + 1450\x1b[39m\n");
  assert.is(paintFor({ isTTY: true, hasColors: () => false }), plain);
  assert.is(paintFor({ isTTY: false, hasColors: () => true }), plain);
});

test.run();
