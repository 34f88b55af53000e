import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { asciiJson } from "../../../modules/core/ascii_json";
import { forAll } from "../support/property";

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
