import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { splitWords } from "../../../modules/formats/shell_words";
import { forAll } from "../support/property";

const split = (text: string): string[] => splitWords(text).map(({ value }) => value);

test("words are split at spaces, tabs and newlines", () => {
  assert.equal(split("  a b\tc\n d  "), ["a", "b", "c", "d"]);
  assert.equal(split(""), []);
  assert.equal(split("   "), []);
});

test("quotes keep a word together, also in its middle", () => {
  assert.equal(split('"a b" \'c d\' e"f g"h \'i\'"j"'), ["a b", "c d", "ef gh", "ij"]);
});

test("an empty pair of quotes is an empty word", () => {
  assert.equal(split(`a "" ''`), ["a", "", ""]);
});

test("a word has both its text and its value", () => {
  assert.equal(splitWords(`--label="a b" 'c'`), [
    { raw: '--label="a b"', value: "--label=a b" },
    { raw: "'c'", value: "c" },
  ]);
});

test("a backslash escapes the next character", () => {
  assert.equal(split(String.raw`a\ b c\"d e\\f`), ["a b", 'c"d', "e\\f"]);
  assert.equal(split(String.raw`"a\"b \$c \\d"`), ['a"b $c \\d']);
});

test("quotes of one kind are ordinary characters within the other", () => {
  assert.equal(split(`"it's" '"'`), ["it's", '"']);
});

test("an unclosed quote ends with the line", () => {
  assert.equal(split('a "b c'), ["a", "b c"]);
  assert.equal(split("a 'b c"), ["a", "b c"]);
  assert.equal(split("a\\"), ["a"]);
});

test("words as they are written, joined by spaces, are the same words", () => {
  forAll([fc.string({ unit: fc.constantFrom(..."ab \"'\\$=-") })], (text) => {
    const words = splitWords(text);
    const last = words.at(-1)?.raw ?? "";
    assert.equal(splitWords(words.map(({ raw }) => raw).join(" ")), words, last);
  });
});

test("words without special characters are their own values", () => {
  const word = fc.string({ unit: fc.constantFrom(..."ab-=./:$#"), minLength: 1 });
  forAll([fc.array(word)], (words) => assert.equal(split(words.join(" ")), words));
});

test.run();
