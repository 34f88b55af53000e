import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { execWord, systemdWords } from "../../../modules/formats/systemd_words";
import { forAll } from "../support/property";

const valuesOf = (text: string, escapes: "command" | "strict" | "value"): string[] =>
  systemdWords(text, escapes).words.map(({ value }) => value);

test("words are separated by white space outside of quotes, which are taken off", () => {
  for (const escapes of ["command", "strict", "value"] as const) {
    assert.equal(valuesOf(`a  "b c"\t'd "e"'f "" `, escapes), ["a", "b c", 'd "e"f', ""]);
  }
});

test("backslashes: as in C for a command, the next character for a value", () => {
  assert.equal(valuesOf("\\x41\\101\\t\\s \\u00e9 '\\''", "command"), ["AA\t ", "\xc3\xa9", "'"]);
  assert.equal(valuesOf("a\\ b \\x41 '\\''", "value"), ["a b", "x41", "'"]);
});

test("an escape that C does not have stays in a command, and ends the words of Environment=", () => {
  assert.equal(systemdWords("a b\\q c", "command"), {
    words: [
      { raw: "a", value: "a" },
      { raw: "b\\q", value: "b\\q" },
      { raw: "c", value: "c" },
    ],
    complete: true,
  });
  assert.equal(systemdWords("a b\\q c", "strict"), { words: [{ raw: "a", value: "a" }], complete: false });
});

test("a quote that is not closed ends the words of a command, and the last word of a value", () => {
  assert.equal(systemdWords('a "b', "command"), { words: [{ raw: "a", value: "a" }], complete: false });
  assert.equal(valuesOf('a "b c', "value"), ["a", "b c"]);
});

test("a value in ExecStart= is read back as it is", () => {
  forAll([fc.string({ unit: fc.constantFrom(..."ab \t\n\"'\\$%;-@/=#\xe9\x01") })], (value) => {
    const [word, more] = systemdWords(execWord(value), "command").words;
    assert.is(more, undefined);
    assert.is(word?.value.replace(/([$%])\1/g, "$1"), value);
    assert.not.match(word?.raw ?? "", /^;$/);
  });
});

test.run();
