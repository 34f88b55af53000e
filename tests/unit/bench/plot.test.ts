import { test } from "uvu";
import * as assert from "uvu/assert";
import { barChart } from "../../bench/plot";

const widths = (svg: string): number[] =>
  [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));

test("bars are as long as their values, up to the largest of them and the target", () => {
  const bars = [
    { label: "one", value: 1 },
    { label: "two", value: 2 },
  ];
  const [one = 0, two = 0] = widths(barChart("title", bars));
  assert.is(two, one * 2);
  const [, smaller = 0] = widths(barChart("title", bars, { target: 4 }));
  assert.is(smaller, two / 2);
});

test("texts are as they are, whatever is in them", () => {
  assert.match(barChart('a "b" & <c>', [{ label: "<x>", value: 1 }]), /&quot;b&quot; &amp; &lt;c>.*&lt;x>/s);
});

test.run();
