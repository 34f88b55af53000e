import { test } from "uvu";
import * as assert from "uvu/assert";
import { interleaved, median, ratio } from "../../bench/statistics";

test("the median is the middle one, or the mean of the two there; there is none of nothing", () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]), /no median of nothing/);
});

test("a ratio is taken pair by pair, so that a bad minute that hit both does not count", () => {
  assert.is(ratio({ one: [2, 20, 2], other: [1, 10, 1] }, "one", "other"), 2);
  assert.throws(() => ratio({ one: [1], other: [1, 2] }, "one", "other"), /not measured in turn/);
  assert.throws(() => ratio({ one: [1] }, "one", "two"), /"two" was not measured/);
});

test("figures are measured in turn, and the first round is not counted", async () => {
  const order: string[] = [];
  const measure = (name: string) => async (): Promise<number> => order.push(name);
  const samples = await interleaved({ one: measure("one"), other: measure("other") }, 2);
  assert.equal(order, ["one", "other", "one", "other", "one", "other"]);
  assert.equal(samples, { one: [3, 5], other: [4, 6] });
});

test.run();
