import { test } from "uvu";
import * as assert from "uvu/assert";
import { shown, verdict } from "../../bench/verdict";

test("a figure has as many digits as show that it is above its target", () => {
  const digits = (value: number, target: number | null): string => shown({ what: "", value, target });
  assert.equal(
    [digits(0.403, 0.4), digits(0.41, 0.4), digits(0.4, 0.4), digits(0.396, 0.4)],
    ["0.403", "0.41", "0.40", "0.40"],
  );
  assert.equal([digits(0.40001, 0.4), digits(1.234, null)], ["0.40001", "1.23"]);
});

test("missed targets are listed; a figure without a target misses none", () => {
  const missed = { what: "second run", value: 0.403, target: 0.4 };
  const programs = { what: "programs", value: 3, target: 1 };
  const met = { what: "first run", value: 0.7, target: 0.7 };
  assert.is(
    verdict([missed, met, programs]),
    "Missed targets:\n\n- second run: 0.403 instead of 0.4\n- programs: 3 instead of 1",
  );
  assert.is(verdict([met, { what: "check", value: 9, target: null }]), "All targets are met.");
});

test.run();
