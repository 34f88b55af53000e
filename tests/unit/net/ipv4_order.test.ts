import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inNumericOrder } from "../../../modules/net/ipv4";
import { forAll } from "../support/property";

test("addresses are ordered as numbers, not as texts, each once", () => {
  assert.equal(inNumericOrder(["192.168.50.12", "192.168.50.9", "10.0.0.1", "192.168.50.9", "200.0.0.1"]), [
    "10.0.0.1",
    "192.168.50.9",
    "192.168.50.12",
    "200.0.0.1",
  ]);
  assert.equal(inNumericOrder([]), []);
});

test("the given list is not reordered itself", () => {
  const given = ["10.0.0.2", "10.0.0.1"];
  inNumericOrder(given);
  assert.equal(given, ["10.0.0.2", "10.0.0.1"]);
});

test("the result does not depend on the given order", () => {
  forAll([fc.uniqueArray(fc.ipV4(), { minLength: 1 }), fc.nat()], (addresses, by) => {
    const turned = [...addresses.slice(by % addresses.length), ...addresses.slice(0, by % addresses.length)];
    assert.equal(inNumericOrder(turned), inNumericOrder(addresses));
    assert.is(inNumericOrder(addresses).length, addresses.length);
  });
});

test.run();
