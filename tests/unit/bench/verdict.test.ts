import { test } from "uvu";
import * as assert from "uvu/assert";
import { shown, verdict } from "../../bench/part";

test("a figure has as many digits as show that it misses its target", () => {
  const digits = (value: number, target: number | null, least = false): string =>
    shown({ what: "", value, target, least });
  assert.equal(
    [digits(0.403, 0.4), digits(0.41, 0.4), digits(0.4, 0.4), digits(0.396, 0.4)],
    ["0.403", "0.41", "0.40", "0.40"],
  );
  assert.equal([digits(0.40001, 0.4), digits(1.234, null)], ["0.40001", "1.23"]);
  assert.equal([digits(0.997, 1, true), digits(1.001, 1, true)], ["0.997", "1.00"]);
});

test("missed targets are listed; a figure without a target misses none", () => {
  const missed = { what: "second run", value: 0.403, target: 0.4 };
  const programs = { what: "programs", value: 3, target: 1 };
  const slow = { what: "throughput", value: 0.7, target: 0.8, least: true };
  const met = { what: "first run", value: 0.7, target: 0.7 };
  assert.is(
    verdict([missed, met, programs, slow]),
    "- second run: 0.403 instead of 0.4\n- programs: 3 instead of 1\n- throughput: 0.70 instead of 0.8",
  );
  assert.is(verdict([met, { what: "check", value: 9, target: null }]), "All targets are met.");
});

test.run();
