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

test("quotes hold a word together, within it too", () => {
  assert.equal(split('"a b" \'c d\' e"f g"h \'i\'"j"'), ["a b", "c d", "ef gh", "ij"]);
});

test("an empty pair of quotes is an empty word", () => {
  assert.equal(split(`a "" ''`), ["a", "", ""]);
});

test("a word keeps how it is written beside what it means", () => {
  assert.equal(splitWords(`--label="a b" 'c'`), [
    { raw: '--label="a b"', value: "--label=a b" },
    { raw: "'c'", value: "c" },
  ]);
});

test("a backslash takes away the meaning of the character behind it", () => {
  assert.equal(split(String.raw`a\ b c\"d e\\f`), ["a b", 'c"d', "e\\f"]);
  assert.equal(split(String.raw`"a\"b \$c \\d"`), ['a"b $c \\d']);
});

test("quotes of one kind are letters in those of the other", () => {
  assert.equal(split(`"it's" '"'`), ["it's", '"']);
});

test("a quote that is never closed ends with the line", () => {
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

test("words without anything special are themselves", () => {
  const word = fc.string({ unit: fc.constantFrom(..."ab-=./:$#"), minLength: 1 });
  forAll([fc.array(word)], (words) => assert.equal(split(words.join(" ")), words));
});

test.run();
