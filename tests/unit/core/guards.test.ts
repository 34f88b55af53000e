import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  isBoolean,
  isListOf,
  isMapOf,
  isNumber,
  isOptional,
  isShape,
  isString,
  parseJson,
} from "../../../modules/core/guards";

const isPeer = isShape({ name: isString, port: isOptional(isNumber), up: isBoolean });

test("an object has a shape if each of its members has; others do not matter", () => {
  assert.ok(isPeer({ name: "a", port: 1, up: true, more: [] }));
  assert.ok(isPeer({ name: "a", port: null, up: false }));
  assert.ok(isPeer({ name: "a", up: false }));
  for (const wrong of [{ name: "a", port: "1", up: true }, { name: "a" }, { up: true }, [], null, "a", undefined]) {
    assert.not.ok(isPeer(wrong), JSON.stringify(wrong));
  }
});

test("a list or a map is right if each of its elements is", () => {
  assert.ok(isListOf(isString)([]));
  assert.ok(isListOf(isPeer)([{ name: "a", up: true }]));
  for (const wrong of [["a", 1], { 0: "a" }, null, "a"]) assert.not.ok(isListOf(isString)(wrong));
  assert.ok(isMapOf(isNumber)({ a: 1 }));
  for (const wrong of [{ a: "1" }, [1], null]) assert.not.ok(isMapOf(isNumber)(wrong));
});

test("a JSON text is read where it has the type, and is null else", () => {
  assert.equal(parseJson('["a"]', isListOf(isString)), ["a"]);
  assert.is(parseJson("[1]", isListOf(isString)), null);
  assert.is(parseJson("[", isListOf(isString)), null);
});

test.run();
