import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  asciiJson,
  isBoolean,
  isListOf,
  isMapOf,
  isNumber,
  isOptional,
  isShape,
  isString,
  parseJson,
} from "../../../modules/core/json";
import { forAll } from "../support/property";

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

test("a JSON text is parsed if it has the type, and is null otherwise", () => {
  assert.equal(parseJson('["a"]', isListOf(isString)), ["a"]);
  assert.is(parseJson("[1]", isListOf(isString)), null);
  assert.is(parseJson("[", isListOf(isString)), null);
});

test("the separators at which Ansible would split the result are escaped", () => {
  assert.is(asciiJson("a\u0085b\u2028c\u2029d"), '"a\\u0085b\\u2028c\\u2029d"');
});

test("lone surrogates are escaped", () => {
  assert.is(asciiJson("\ud800 \udfff"), '"\\ud800 \\udfff"');
});

test("characters beyond the first plane are escaped as their two surrogates", () => {
  assert.is(asciiJson("🐋"), '"\\ud83d\\udc0b"');
});

test("DEL and the control characters are escaped, in keys too", () => {
  assert.is(asciiJson({ "ü\x7f": "\x00\n\x1b" }), '{"\\u00fc\\u007f":"\\u0000\\n\\u001b"}');
});

test("plain ASCII stays readable", () => {
  assert.is(asciiJson({ changed: true, msg: 'a "b" \\' }), '{"changed":true,"msg":"a \\"b\\" \\\\"}');
});

test("whatever the value, the text is printable ASCII on one line and reads back as the value", () => {
  forAll([fc.jsonValue({ stringUnit: "binary" })], (value) => {
    const text = asciiJson(value);
    assert.match(text, /^[\x20-\x7e]*$/);
    assert.equal(JSON.parse(text), JSON.parse(JSON.stringify(value)));
  });
});

test("any sequence of UTF-16 units reads back as it was", () => {
  forAll([fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })], (units) => {
    const value = String.fromCharCode(...units);
    const text = asciiJson(value);
    assert.match(text, /^[\x20-\x7e]*$/);
    assert.is(JSON.parse(text), value);
  });
});

test.run();
